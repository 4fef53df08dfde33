// Proofs that people without Wharf can check: a signed head, and the events of one thing under it.

import Foundation
import Hosting
import Postgres
import TestKit
import Testing

extension AgainstWharfd {
  struct LogProofTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()

    /// Runs lines of a shell in someone's folder.
    @discardableResult
    private func shell(_ someone: Someone, _ script: String) throws -> String {
      try TestKit.shell("cd '\(someone.folder)'; \(script)")
    }

    private func write(_ text: String, _ name: String, _ someone: Someone) throws {
      try Data(text.utf8).write(to: URL(filePath: "\(someone.folder)/\(name)"))
    }

    /// With standard tools alone; also in the README.
    private static let verifyNote = """
      sed '/^$/,$d' head.note > head.txt
      sed -n 's/^— [^ ]* //p' head.note | base64 -d | tail -c +5 > head.sig
      { printf 302a300506032b6570032100 | xxd -r -p; cut -d+ -f3- log.key | base64 -d | tail -c +2; } > key.der
      openssl pkeyutl -verify -pubin -keyform DER -inkey key.der -rawin -in head.txt -sigfile head.sig
      """

    @Test func `A signed head is verified with openssl, and a changed one is not`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      try await admin.does("provider", "register", "xai")
      let note = try await admin.does("head", "--sign")
      let key = try await admin.does("head", "--key")
      try write(note + "\n", "head.note", admin)
      try write(key + "\n", "log.key", admin)
      let good = try shell(admin, Self.verifyNote)
      #expect(good.contains("Verified Successfully"), "\(good)")
      let lines = note.split(separator: "\n", omittingEmptySubsequences: false)
      let status = try await admin.does("status", "-q")
      #expect(lines[1] == status && lines[3] == "era 1")
      let head = try await admin.does("head", "-q")
      let hash = Data(base64Encoded: String(lines[2])).map { Array($0).hexadecimal }
      #expect(head == "\(status) \(hash ?? "")")
      try write(note.replacing("\n\(status)\n", with: "\n7\n") + "\n", "head.note", admin)
      #expect(throws: TestFailure.self) { try shell(admin, Self.verifyNote) }
      // The same key after a restart: it is made from the cluster's secret, and not in the log.
      hosted.stop()
      try await hosted.start()
      #expect(try await admin.does("head", "--key") == key)
      let events = try await admin.does("events", "--after", "0", "--limit", "1000", "-o", "json")
      #expect(!events.contains(key.suffix(40)))
    }

    @Test func `The history of a thing is proved to who has only python and openssl`() async throws
    {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      try await admin.does("provider", "register", "xai", "--name", "xAI")
      try await admin.onboards("openai/secret-model")
      try await admin.does("provider", "suspend", "xai")
      try await admin.does("mark", "end")
      let proof = try await admin.does("history", "provider", "xai", "--proof")
      let key = try await admin.does("head", "--key")
      #expect(!proof.contains(Array("secret-model".utf8).hexadecimal), "it shows other rows")
      try write(proof, "proof.json", admin)
      let check = "'\(Self.root.path)/Deploy/check-proof' proof.json '\(key)'"
      let good = try shell(admin, check)
      #expect(good.contains(#"providerRegistered {"name":"xai","title":"xAI"} by person/"#))
      #expect(good.contains("providerSuspended"))
      #expect(good.contains("under its head \(try await admin.does("status", "-q"))."))

      // Whatever is changed in it, it is none.
      let row = try #require(proof.firstMatch(of: /"row": "([0-9a-f]+)"/)).output.1
      let digest = try #require(proof.firstMatch(of: /"digest": "([0-9a-f]+)"/)).output.1
      for part in [row, digest] {
        try write(
          proof.replacing(part, with: part.dropLast() + (part.last == "0" ? "1" : "0")),
          "proof.json", admin)
        #expect(throws: TestFailure.self) { try shell(admin, check) }
      }
      let viewer = try await hosted.invited("vic", "viewer")
      #expect(
        try await viewer.wharf("history", "model", "openai/secret-model", "--proof").code == 1)
      try write(
        try await viewer.does("history", "provider", "xai", "--proof"), "proof.json", admin)
      try shell(admin, check)
    }

    @Test func `A tail rewritten with a valid chain is found by whoever saw it`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      let position = try await admin.next()
      try await admin.does("provider", "register", "xai", "--name", "xAI")
      hosted.stop()
      var connection = try TestDatabase.current.connect()
      try connection.script(
        ChainSQL.rewrite(
          Int64(position), #"data = '{"name":"evil","title":"Evil"}'"#))
      let verified = try await Programs.run(
        "wharfd", ["verify", "--database", TestDatabase.current.url], environment: [:],
        folder: hosted.folder)
      #expect(verified.code == 0, "the chain fits: \(verified)")
      // wharfd finds it itself, as long as it remembers.
      #expect(try await hosted.refusal().contains("rewritten"))
      try hosted.forgetSeen()
      try await hosted.start(as: "newcomer")
      // The log has gone on, past what was seen.
      let newcomer = try hosted.admin("newcomer")
      #expect(try await newcomer.does("provider", "list", "-q") == "evil")
      let found = try await admin.wharf("provider", "list")
      #expect(found.code == 1 && found.out.isEmpty)
      #expect(
        found.err.hasPrefix(
          "error: WARNING: the log was rewritten: position \(position) of era 1 had the hash "),
        "\(found)")
    }
  }
}
