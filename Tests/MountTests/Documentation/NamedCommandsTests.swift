import ArgumentParser
import Foundation
import Settings
import Testing
import TestSupport

@testable import tractfs

/// All mentions of our own commands, in sentences and in blocks that are not run.
@Suite struct NamedCommandsTests {
    @Test(
        "A command that the documentation names exists, and has the options that it is named with",
        arguments: try DocumentedPage.all())
    func commands(of page: DocumentedPage) throws {
        let text = try String(contentsOfFile: packageRoot + "/" + page.name, encoding: .utf8)
        let spans = text.matches(of: /`(tractfs [^`\n]+)`/).map { String($0.output.1) }
        let lines = page.blocks.filter { $0.language.isEmpty }.flatMap(\.lines).flatMap { line in
            line.matches(of: /(?:^|[$;&|] |sudo )(tractfs [a-z][^|;&#)]*)/).map { String($0.output.1) }
        }
        for command in spans + lines { expectThere(command, in: page) }
    }

    private func expectThere(_ text: String, in page: DocumentedPage) {
        var words = text.split(separator: " ").dropFirst().map(String.init)[...]
        var type: any ParsableCommand.Type = Tractfs.self
        while let word = words.first, !type.configuration.subcommands.isEmpty, word.allSatisfy(\.isLetter) {
            // "tractfs cache list|verify|clear", of which the first will do.
            guard let next = type.configuration.subcommands.first(where: { $0.configuration.commandName == word })
            else {
                if word != "help" { Issue.record("\(page.name): there is no command \(word): \(text)") }
                return
            }
            type = next
            words = words.dropFirst()
        }
        let options = DeclaredOptions(of: type)
        for word in words where word.hasPrefix("--") && word.count > 2 {
            let name = word.dropFirst(2).prefix { $0.isLetter || $0 == "-" }
            #expect(
                options.meaning(of: String(name)) != nil || ["help", "version"].contains(name),
                "\(page.name): there is no option --\(name) of: \(text)")
        }
    }
}
