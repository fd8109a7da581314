import SystemSupport
import TestSupport
import Testing

/// Texts in shell commands.
struct ShellQuotingTests {
    /// The last one has a combining mark on its quotation mark: one character, of two scalars.
    static let texts = [
        "plain", "/mnt/hcp", "my data", "it's", "''", "$HOME `id` $(id)", "a\nb", "\"\\", "*?[", "~", "a;b&c|d",
        "l'\u{301}a b",
    ]

    @Test(arguments: texts)
    func `A quoted text is one word for a shell, unchanged`(text: String) throws {
        for word in [text.shellQuoted, text.shellWord] {
            #expect(try runChecked("sh", ["-c", "printf '%s|' \(word)"]) == text + "|")
        }
    }

    @Test func `A word without special characters needs no quotes in a message`() {
        #expect("/mnt/hcp-1".shellWord == "/mnt/hcp-1")
        #expect("/mnt/my data".shellWord == "'/mnt/my data'")
    }
}
