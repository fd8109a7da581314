import SystemSupport
import Testing

@Suite("Timestamps") struct TimestampTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0, 0), ("2013-05-24T00:00:00.000Z", 1_369_353_600, 0),
        ("2000-02-29T23:59:59.123Z", 951_868_799, 123_000_000), ("2100-03-01T00:00:00Z", 4_107_542_400, 0),
        ("2024-12-31T12:34:56.123456789Z", 1_735_648_496, 123_456_789),
        ("2013-05-24T00:00:00UTC", 1_369_353_600, 0), ("2013-05-24T01:30:00+01:30", 1_369_353_600, 0),
        ("2013-05-23T20:00:00-0400", 1_369_353_600, 0),
    ])
    func `A time in ISO 8601 is read`(text: String, seconds: Int, nanoseconds: Int) {
        let time = Timestamp(iso8601: Array(text.utf8))
        #expect(time == Timestamp(seconds: seconds, nanoseconds: nanoseconds))
    }

    @Test(arguments: [
        "", "2013-05-24", "2013-13-24T00:00:00Z", "2013-02-29T00:00:00Z", "2013-05-24T24:00:00Z",
        "2013-05-24T00:00:00", "2013-05-24T00:00:00+01", "2013-05-24T00:00:00U", "2013-05-24T00:00:00.Z",
        "2013-05-24T00:00:00Zx",
        "+013-05-24T00:00:00Z", "1970-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
    ])
    func `A malformed time in ISO 8601 is refused`(text: String) {
        #expect(Timestamp(iso8601: Array(text.utf8)) == nil)
    }

    @Test func `A time of an HTTP header is read and written`() {
        let time = Timestamp(httpDate: "Fri, 24 May 2013 01:02:03 GMT")
        #expect(time == Timestamp(seconds: 1_369_357_323))
        #expect(time?.httpDate == "Fri, 24 May 2013 01:02:03 GMT")
        #expect(Timestamp(httpDate: "Fri, 24 Mai 2013 01:02:03 GMT") == nil)
    }

    @Test(arguments: [
        "", " ", "Fri,", "Fri, 24 May 2013", "Fri, 24 May 2013 01:02 GMT", "Fri, 24 May 2013 01:02:03 CEST",
        "Fri, 24 May 2013 01::03 GMT", "Fri, -4 May 2013 01:02:03 GMT", "Fri, 31 Jun 2013 01:02:03 GMT",
        "Fri, 24 May 2013 01:02:03 GMT x", "24 May 2013 01:02:03 GMT", "Thu, 01 Jan 1970 00:00:00 +0100",
    ])
    func `A malformed time of an HTTP header is refused`(text: String) {
        #expect(Timestamp(httpDate: text) == nil)
    }

    @Test func `Every day from 1970 on is written as a time of an HTTP header and read again`() {
        for day in stride(from: 0, to: 157_054, by: 13) {
            let time = Timestamp(seconds: day * 86_400 + 45_296)
            #expect(Timestamp(httpDate: time.httpDate) == time)
        }
        #expect(Timestamp(seconds: 0).httpDate == "Thu, 01 Jan 1970 00:00:00 GMT")
        #expect(Timestamp(seconds: 1_520_961_904).httpDate == "Tue, 13 Mar 2018 17:25:04 GMT")
    }

    @Test func `Every day from 1970 to 2400 is the same when it is written as text and read again`() {
        for day in 0..<157_054 {
            let time = Timestamp(seconds: day * 86_400 + 3_661)
            #expect(Timestamp(iso8601: Array(time.utcText.utf8)) == time)
        }
    }

    @Test func `A timestamp has a text for every number of seconds`() {
        #expect(Timestamp(seconds: 0).utcText == "1970-01-01T00:00:00Z")
        #expect(Timestamp(nanosecondsSinceEpoch: .max).utcText == "2262-04-11T23:47:16Z")
        #expect(Timestamp(seconds: .max).utcText == "unknown")
    }

    @Test(arguments: [(0, "00.000Z"), (42_999_999, "00.042Z"), (999_999_999, "00.999Z")])
    func `A timestamp is written to the millisecond, rounded down`(nanoseconds: Int, end: String) {
        #expect(Timestamp(seconds: 0, nanoseconds: nanoseconds).utcMillisecondText == "1970-01-01T00:00:" + end)
    }

    @Test(arguments: [0, 1, -1, 999_999_999, -1_000_000_000, -1_000_000_001, .max, .min + 1_000_000_000])
    func `A timestamp is the same as a number of nanoseconds`(count: Int64) {
        let time = Timestamp(nanosecondsSinceEpoch: count)
        #expect((0..<1_000_000_000).contains(time.nanoseconds))
        #expect(time.nanosecondsSinceEpoch == count)
    }

    @Test func `A timestamp centuries away has no number of nanoseconds`() {
        #expect(Timestamp(seconds: 1 << 40).nanosecondsSinceEpoch == nil)
        #expect(Timestamp(seconds: .min).nanosecondsSinceEpoch == nil)
    }
}
