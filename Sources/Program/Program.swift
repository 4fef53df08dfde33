// How every program of Wharf is run from its command line: one version, one form of what is wrong, and
// the same exit codes: 0 done, 1 refused or failed, 2 wrong usage. Programs add their own above these.

import ArgumentParser
import CLinux
import Glibc
import Hosting

package enum Program {
  /// Of all programs of a release; `wharf-holder`, which is C, states it again.
  package static let version = "0.1.0"

  package static let failedCode: Int32 = 1
  package static let usageCode: Int32 = 2

  /// A longer word in what is wrong is shortened: it is what somebody typed, or pasted.
  private static let longestWord = 80

  /// A body, a page of a list or a snapshot that takes as much as this or more leaves nothing behind. Otherwise a
  /// flood of them would be the memory that the program takes from then on.
  private static let largeBlockBytes: Int32 = 128 << 10

  /// Parses the arguments, runs the command, and ends the process.
  package static func run(_ root: (some ParsableCommand).Type) async -> Never {
    StandardFiles.hold()
    _ = wharf_return_blocks_of(largeBlockBytes)
    do {
      var command = try root.parseAsRoot(arguments())
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
      Glibc.exit(0)
    } catch {
      end(root, with: error)
    }
  }

  /// Ends the process as the error asks: help goes to stdout, what is wrong to stderr.
  package static func end(_ root: (some ParsableCommand).Type, with error: any Error) -> Never {
    let text = root.fullMessage(for: error)
    let code = exitCode(root, error)
    if !text.isEmpty { say((code == 0 ? text : told(text)) + "\n", to: code == 0 ? 1 : 2) }
    Glibc.exit(code)
  }

  private static func say(_ text: String, to descriptor: Int32) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }

  package static func exitCode(_ root: (some ParsableCommand).Type, _ error: any Error) -> Int32 {
    let code = root.exitCode(for: error)
    return code == .validationFailure ? usageCode : code.rawValue
  }

  // MARK: - Arguments

  /// What the process was given, with `--replicas -1` read as `--replicas=-1`: to the parser a word that
  /// begins with a dash is an option, and it would complain that a value is missing. And `--drain-seconds 30`
  /// is read as `--drain-seconds 30s`.
  package static func arguments(
    _ given: [String] = Array(CommandLine.arguments.dropFirst())
  ) -> [String] {
    var read: [String] = []
    for (index, word) in given.enumerated() {
      if word == "--" { return read + given[index...] }
      guard let option = read.last, option.hasPrefix("--"), !option.contains("=") else {
        read.append(Lengths.withUnit(word))
        continue
      }
      if isNegativeNumber(word) {
        read[read.count - 1] = "\(option)=\(word)"
      } else {
        read.append(Lengths.withUnit(Lengths.withUnit(word, of: option)))
      }
    }
    return read
  }

  /// Also with a unit, as `-5m`: no option is a digit.
  private static func isNegativeNumber(_ word: String) -> Bool {
    guard word.first == "-", let second = word.dropFirst().first else { return false }
    return second.isASCII && second.isNumber || second == "." && Double(word) != nil
  }

  // MARK: - What is wrong

  /// The parser's words as ours: `error: …`, and nothing that somebody pasted shown whole.
  package static func told(_ text: String) -> String {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard var first = lines.first else { return text }
    if first.hasPrefix("Error: ") { first = "error: " + first.dropFirst("Error: ".count) }
    first = withoutFarGuess(first)
    lines[0] = first.split(separator: " ", omittingEmptySubsequences: false)
      .map { shortened($0) }.joined(separator: " ")
    return lines.joined(separator: "\n")
  }

  /// The parser guesses at any name within three letters: at `--api` for `--wait`.
  private static func withoutFarGuess(_ line: String) -> String {
    let middle = ". Did you mean '"
    guard let guess = line.firstRange(of: middle), line.hasSuffix("'?"),
      let option = line[..<guess.lowerBound].split(separator: "'").last
    else { return line }
    let name = line[guess.upperBound...].dropLast(2).drop { $0 == "-" }
    let written = option.drop { $0 == "-" }
    let isNear = Spelling.nearest(to: String(written), among: [String(name)]) != nil
    return isNear ? line : String(line[..<guess.lowerBound])
  }

  private static func shortened(_ word: Substring) -> String {
    guard word.count > longestWord else { return String(word) }
    let end = word.reversed().prefix { "':.,".contains($0) }.reversed()
    return word.prefix(longestWord - 20) + "…" + String(end)
  }
}
