// `wharf person forget` as people run it, and the log that is moved after it, with and without keys.

import Foundation
import Hosting
import Postgres
import TestKit
import Testing

extension AgainstWharfd {
  struct PersonForgetTests {
    private static let reason = "zyx the moth was found"
    private static let marks = ["zyxgrace", "navy.example", "the moth"]

    private func wharfd(_ hosted: Hosted, _ arguments: String...) async throws -> Ran {
      try await Programs.run(
        "wharfd", arguments, environment: ["PATH": "/usr/bin:/bin"], folder: hosted.folder)
    }

    /// Everything that people can be shown.
    private func everything(_ admin: Someone, _ id: String, _ moments: [String]) async throws
      -> String
    {
      var shown = try await [
        admin.does("events", "--limit", "500"),
        admin.does("events", "--limit", "500", "-o", "json"),
        admin.does("history", "person", id), admin.does("person", "show", id),
      ].joined(separator: "\n")
      for moment in moments {
        shown += try await admin.does("person", "list", "-o", "json", "--as-of", moment)
        shown += try await admin.does("person", "list", "-o", "wide", "--as-of", moment)
        shown += try await admin.does("diff", "--from", moment)
      }
      return shown
    }

    @Test func `A person is forgotten everywhere, and the log moves with or without keys`()
      async throws
    {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      let invitation = try await admin.does(
        "person", "invite", "zyxgrace", "--role", "operator", "--email", "zyxgrace@navy.example",
        "-q")
      let grace = try hosted.someone("grace")
      try await grace.does("login", "--invitation", invitation)
      try await grace.does("provider", "register", "xai", "--reason", Self.reason)
      try await grace.does("mark", "found", "--reason", Self.reason)
      try await admin.does(
        "person", "invite", "bob", "--role", "viewer", "--reason", "he asked for it")

      let before = try await admin.does("person", "show", "zyxgrace")
      #expect(before.contains("zyxgrace@navy.example"))
      let id = try #require(before.firstMatch(of: /person\/\d+/)).output
      let events = try await admin.does("events", "--limit", "500", "-o", "json")
      for mark in Self.marks { #expect(events.contains(mark)) }
      let file = { (name: String) in "\(hosted.folder)/\(name)" }
      let early = try await wharfd(
        hosted, "export", "--to", file("early"), "--keys", file("early.keys"), "--database",
        TestDatabase.current.url)
      #expect(early.code == 0 && early.err.contains("The keys of 3 persons are in"), "\(early)")
      for name in ["early", "early.keys"] {
        let text = try String(contentsOfFile: file(name), encoding: .utf8)
        for mark in Self.marks { #expect(!text.contains(mark), "\(name) holds \(mark)") }
        let mode = try FileManager.default.attributesOfItem(atPath: file(name))[.posixPermissions]
        #expect(mode as? Int == 0o600)
      }

      let refused = try await admin.wharf("person", "forget", "admin")
      #expect(refused.code == 1 && refused.err.contains("no other active admin"), "\(refused)")
      let unknown = try await admin.wharf("person", "forget", "nobody")
      #expect(unknown.code == 1 && unknown.err.contains("no person named 'nobody'"), "\(unknown)")
      let operators = try await grace.wharf("person", "forget", "bob")
      #expect(operators.code == 1, "\(operators)")
      let dry = try await admin.does("person", "forget", "zyxgrace", "--dry-run")
      #expect(dry.contains("personForgotten"))

      let said = try await admin.does("person", "forget", "zyxgrace")
      #expect(said.hasPrefix("forgot zyxgrace (\(id), position "))
      #expect(
        said.contains(
          /\nerased: key destroyed, \d+ snapshots? and the views made anew, in [0-9.]+ m?s$/),
        "\(said)")
      let again = try await admin.does("person", "forget", String(id))
      #expect(again.hasPrefix("unchanged") && again.contains("\nerased: "), "\(again)")
      let out = try await grace.wharf("whoami")
      #expect(out.code != 0)

      let shown = try await everything(
        admin, String(id), ["found", String(id.dropFirst("person/".count))])
      for mark in Self.marks { #expect(!shown.contains(mark), "\(mark) is still shown") }
      #expect(shown.contains("(forgotten)") && shown.contains("he asked for it"))
      let hidden = try await admin.wharf("person", "show", "zyxgrace")
      #expect(hidden.code == 1)
      try await admin.does("person", "invite", "zyxgrace", "--role", "viewer")
      try await admin.does("history", "person", String(id), "--proof", "-o", "json")
      hosted.stop()

      let verified = try await wharfd(hosted, "verify", "--database", TestDatabase.current.url)
      #expect(verified.code == 0, "\(verified)")
      try await movesOn(hosted, file("early"), nil, shows: [], hides: Self.marks + ["bob"])
      try await movesOn(
        hosted, file("early"), file("early.keys"), shows: ["zyxgrace@navy.example", "bob"],
        hides: [])
      // An export of now, with keys: who was forgotten stays so.
      let late = try await wharfd(
        hosted, "export", "--to", file("late"), "--keys", file("late.keys"), "--database",
        TestDatabase.current.url)
      #expect(late.code == 0, "\(late)")
      try await movesOn(
        hosted, file("late"), file("late.keys"), shows: ["bob", "(forgotten)"],
        hides: ["zyxgrace@navy.example"])
      // Also with keys of before.
      try await movesOn(
        hosted, file("late"), file("early.keys"), shows: ["bob", "(forgotten)"],
        hides: ["zyxgrace@navy.example"])
      let other = try await wharfd(
        hosted, "export", "--database", TestDatabase.current.url)
      #expect(other.err.contains("It holds no keys"))
    }

    /// Imports a log, leads it, and looks at its people.
    private func movesOn(
      _ hosted: Hosted, _ log: String, _ keys: String?, shows: [String], hides: [String]
    ) async throws {
      let to = try await TestCluster.shared().makeDatabase()
      let imported = try await Programs.run(
        "wharfd", ["import", log, "--database", to.url] + (keys.map { ["--keys", $0] } ?? []),
        environment: ["PATH": "/usr/bin:/bin"], folder: hosted.folder)
      #expect(imported.code == 0, "\(imported)")
      #expect(imported.out.contains(keys == nil ? "No keys came with it" : "persons came with it"))
      let recovered = try await wharfd(hosted, "recover", "--yes", "--database", to.url)
      #expect(recovered.code == 0, "\(recovered)")
      hosted.database = to.url
      // Each import begins an era of its own from the same place.
      try hosted.forgetSeen()
      let home = "home-\(UUID().uuidString.prefix(8))"
      try await hosted.start(as: home)
      let people = try await hosted.admin(home).does("person", "list", "-o", "wide")
      for text in shows { #expect(people.contains(text), "\(people)") }
      for text in hides { #expect(!people.contains(text), "\(people)") }
      hosted.stop()
      try await TestCluster.shared().drop(to)
    }
  }
}
