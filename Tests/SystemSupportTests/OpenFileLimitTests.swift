import Glibc
import SystemSupport
import Testing

@Suite struct `The limit of open files` {
    @Test func `is raised as far as it goes`() {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        #expect(OpenFileLimit.raise() == Int(clamping: limit.rlim_max))
    }
}
