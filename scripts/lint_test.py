#!/usr/bin/env python3
"""Tests of `scripts/lint`: `python3 scripts/lint_test.py`."""
import unittest
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

loader = SourceFileLoader("lint", str(Path(__file__).with_name("lint")))
spec = spec_from_loader("lint", loader)
lint = module_from_spec(spec)
loader.exec_module(lint)


def found(path, text):
    return [(number, rule) for number, rule, _ in lint.findings(path, text)]


class Findings(unittest.TestCase):
    def test_a_doc_comment_may_not_begin_with_a_question_word(self):
        self.assertEqual(found("Sources/A.swift", "/// What it is.\nlet a = 1\n"), [(1, "question-word")])
        self.assertEqual(found("Sources/A.swift", "/// The value.\n/// When it is set.\nlet a = 1\n"), [])
        self.assertEqual(found("Sources/A.swift", "/// Whatever the caller passes.\n// What a comment may say.\n"), [])

    def test_a_doc_comment_begins_with_a_summary(self):
        self.assertEqual(found("Sources/A.swift", "/// - Parameter a: A value.\ninit(a: Int) {}\n"), [(1, "no-summary")])
        self.assertEqual(found("Tests/A.swift", "    /// - Returns: A value.\n    func a() -> Int { 1 }\n"), [(1, "no-summary")])
        self.assertEqual(found("Sources/A.swift", "/// Creates a value.\n///\n/// - Parameter a: A value.\ninit(a: Int) {}\n"), [])
        self.assertEqual(found("Sources/A.swift", "// - A list in a comment.\nlet a = 1\n"), [])

    def test_body_words_count_in_comments_but_not_in_code_or_strings(self):
        self.assertEqual(found("a.swift", 'let a = "nobody"  // somebody\'s\n'), [(1, "body-word")])
        self.assertEqual(found("a.swift", 'let a = "https://nobody"\n'), [])
        self.assertEqual(found("a.c", "/* one\n   anybody */\nint nobody;\n"), [(2, "body-word")])
        self.assertEqual(found("a.sh", "sudo -u nobody id  # as nobody\n"), [(1, "body-word")])
        self.assertEqual(found("a.sh", "sudo -u nobody id  # as `nobody`\n"), [])
        self.assertEqual(found("a.py", 'def f():\n    """Text.\n\n    Nobody."""\n    return "nobody"\n'), [(4, "body-word")])
        self.assertEqual(found("docs/a.md", "Nobody\n```\nsudo -u nobody id\n```\n"), [(1, "body-word")])

    def test_a_script_without_suffix_is_known_by_its_first_line(self):
        self.assertEqual(found("scripts/a", "#!/usr/bin/env bash\n# nobody\n"), [(2, "body-word")])
        self.assertEqual(found("scripts/a", "#!/usr/bin/env python3\n# nobody\n"), [(2, "body-word")])
        self.assertEqual(found("LICENSE", "# nobody\n"), [])

    def test_prose_is_at_most_110_columns_wide(self):
        wide = "word " * 30
        self.assertEqual(found("README.md", wide), [(1, "prose-width")])
        self.assertEqual(found("README.md", f"| {wide} |\n```\n{wide}\n```\n- [text](https://{'a' * 120})\n<!-- {wide} -->"), [])
        self.assertEqual(found("README.md", f"- `{wide}`\n- ``{wide} `b` {wide}``\n"), [])
        self.assertEqual(found("README.md", f"- `{wide}` more\n- `a` {wide} `b`\n"), [(1, "prose-width"), (2, "prose-width")])

    def test_comments_of_swift_are_at_most_120_columns_wide(self):
        wide = "word " * 30
        self.assertEqual(found("Sources/A.swift", f"/// {wide}\n    // {wide}\nlet a = 1  // {wide}\n"),
                         [(1, "comment-width"), (2, "comment-width"), (3, "comment-width")])
        self.assertEqual(found("Sources/A.swift", f"/// {'a' * 116}\n"), [])
        self.assertEqual(found("Sources/A.swift", f"/// {'a' * 117}\n"), [(1, "comment-width")])
        self.assertEqual(found("Sources/A.swift", f'let a = "{wide}"\n/// <https://{"a" * 120}>\n'), [])
        self.assertEqual(found("a.c", f"// {wide}\n"), [])

    def test_documents_outside_the_repository_are_not_referred_to(self):
        for text in ["see DESIGN.md", "as issue 13 says", "../shared/cases", "shared/hcp"]:
            self.assertEqual(found("a.swift", f"// {text}\n"), [(1, "dangling-reference")], text)
        self.assertEqual(found("a.swift", "// docs/ARCHITECTURE.md, reissue 5\n"), [])


class Subjects(unittest.TestCase):
    def test_good_subjects_pass(self):
        for subject in ["S3Client: hedge slow bodies", "docs: state the hedge budget (1 in 10)", "Reader: pass errors on",
                        "FileSystem/Access: bring notes back", "S3Client, Reader: feed parts"]:
            self.assertIsNone(lint.subject_fault(subject), subject)

    def test_bad_subjects_are_named(self):
        for subject in ["Say of second requests that they are rare", "Reader: adds parts", "Reader: added parts", "Reader: add parts.",
                        "Reader: adding parts", "Reader: Add parts", "Reader: " + "long " * 20]:
            self.assertIsNotNone(lint.subject_fault(subject), subject)


if __name__ == "__main__":
    unittest.main()
