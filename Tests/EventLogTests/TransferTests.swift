// Export and import: the same log to the byte, and nothing that is not one.

import Hosting
import Postgres
import TestKit
import Testing

@testable import EventLog

@Suite(.database) struct TransferTests {
  /// The lines of an export.
  private func export(
    _ database: PostgresConfiguration, after: Position = .empty
  ) throws -> (lines: [[UInt8]], done: LogExport.Done) {
    var connection = try Connection(database)
    var bytes: [UInt8] = []
    let done = try LogExport.run(&connection, after: after) { _, _ in
    } write: {
      bytes += $0
    }
    #expect(bytes.isEmpty || bytes.last == UInt8(ascii: "\n"))
    return (bytes.split(separator: UInt8(ascii: "\n")).map { Array($0) }, done)
  }

  @discardableResult
  private func load(
    _ lines: [[UInt8]], into database: PostgresConfiguration
  ) throws -> LogImport.Done {
    _ = try Migrator.migrate(database)
    var connection = try Connection(database)
    var rest = lines[...]
    return try LogImport.run(&connection) { _ in
    } next: {
      rest.popFirst()
    }
  }

  private func table(_ database: PostgresConfiguration) throws -> [UInt8] {
    var connection = try Connection(database)
    var bytes: [UInt8] = []
    try connection.copyOut("COPY (SELECT * FROM log.events ORDER BY position) TO STDOUT") {
      bytes += $0
    }
    return bytes
  }

  /// A log with a few commands, stopped; and an empty database in the same cluster.
  private func prepared() async throws -> (from: PostgresConfiguration, to: TestDatabase) {
    let rig = try await Rig.leading(.current)
    try await rig.send(RegisterProvider(name: Name(known: "xai"), title: Text("x \\ \"é\" 😀")))
    try await rig.send(SuspendProvider(provider: Name(known: "xai")))
    try await rig.send(SuspendProvider(provider: Name(known: "xai")))
    try await rig.send(RegisterProvider(name: Name(known: "openai")))
    await rig.stop()
    let other = try await TestCluster.shared().makeDatabase()
    return (rig.database, other)
  }

  @Test func `an export imported into an empty database is the same table, to the byte`()
    async throws
  {
    let (from, to) = try await prepared()
    // JSON as no program of ours writes it: its text is under the hash all the same.
    var connection = try Connection(from)
    try connection.script(
      ChainSQL.rewrite(5, "data = E'{ \"name\" : \"xai\",\\n\\t\"title\":\"\\\\u0041\"}'"))
    let (lines, done) = try export(from)
    let imported = try load(lines, into: to.configuration)
    #expect(imported.imported == lines.count && imported.known == 0)
    #expect(imported.head == done.head && imported.hash == done.hash)
    #expect(try table(to.configuration) == table(from))
    let sound = try Verification.run(to.configuration) { _, _ in }
    #expect(sound.hash == done.hash)
    try await TestCluster.shared().drop(to)
  }

  @Test func `each line is a CloudEvent`() async throws {
    let (from, to) = try await prepared()
    let (lines, _) = try export(from)
    let fields = try JSONValue(document: lines[4]).fields()
    let texts = Dictionary(
      uniqueKeysWithValues: fields.map { ($0.key, String(decoding: $0.value.text, as: UTF8.self)) })
    #expect(texts["specversion"] == "\"1.0\"" && texts["id"] == "\"5\"")
    #expect(texts["type"] == "\"providerRegistered\"" && texts["subject"] == "\"provider/5\"")
    #expect(texts["datacontenttype"] == "\"application/json\"")
    #expect(texts["data"]?.hasPrefix("{\"name\":\"xai\"") == true)
    #expect(texts["source"]?.hasPrefix("\"/wharf/log/") == true)
    // Names of attributes are lower-case letters and digits, and at most 20 of them.
    for field in fields {
      #expect(field.key.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) })
      #expect(field.key.count <= 20)
    }
    try await TestCluster.shared().drop(to)
  }

  @Test func `an import goes on where the last one stopped, and a later export behind it`()
    async throws
  {
    let (from, to) = try await prepared()
    let (lines, done) = try export(from)
    try load(Array(lines.prefix(3)), into: to.configuration)
    let again = try load(lines, into: to.configuration)
    #expect(again.known == 3 && again.imported == lines.count - 3 && again.hash == done.hash)
    let third = try load(lines, into: to.configuration)
    #expect(third.imported == 0 && third.known == lines.count)

    let rig = try Rig(from)
    try await rig.leads()
    try await rig.send(RegisterProvider(name: Name(known: "more")))
    await rig.stop()
    let (tail, whole) = try export(from, after: done.head)
    #expect(tail.count == 2)
    let caughtUp = try load(tail, into: to.configuration)
    #expect(caughtUp.imported == 2 && caughtUp.hash == whole.hash)
    #expect(try table(to.configuration) == table(from))
    #expect(throws: LogImport.Refused.goneOn(file: done.head, head: whole.head)) {
      try load(lines, into: to.configuration)
    }
    try await TestCluster.shared().drop(to)
  }

  @Test func `what is no whole log is refused, by its line`() async throws {
    let (from, to) = try await prepared()
    let (lines, _) = try export(from)
    func refusal(_ lines: [[UInt8]]) -> String {
      do {
        try load(lines, into: to.configuration)
        return "imported"
      } catch { return "\(error)" }
    }
    func changed(_ line: Int, _ old: String, _ new: String) -> [[UInt8]] {
      var all = lines
      let text = String(decoding: all[line - 1], as: UTF8.self)
      #expect(text.contains(old))
      all[line - 1] = Array(text.replacing(old, with: new, maxReplacements: 1).utf8)
      return all
    }
    #expect(refusal(changed(5, "\"xai\"", "\"yai\"")).hasPrefix("line 5: the chain of hashes"))
    #expect(refusal(changed(5, "{", "[")).hasPrefix("line 5: "))
    #expect(refusal(changed(2, "\"id\":\"2\"", "\"id\":\"9\"")).contains("line 2: a gap"))
    #expect(refusal(changed(2, "\"actor\"", "\"author\"")).contains("line 2: actor: is missing"))
    #expect(
      refusal(changed(2, "\"actor\"", "\"extra\":\"x\",\"actor\""))
        == "line 2: extra: is no attribute of an export")
    #expect(refusal(changed(2, "/wharf/log/", "/wharf/other/")).contains("of another log"))
    var gap = lines
    gap.remove(at: 2)
    #expect(refusal(gap) == "line 3: a gap: position 4 follows 2")
    #expect(refusal(Array(lines.dropFirst())).hasPrefix("the file begins at position 2"))
    #expect(refusal([]) == "there is no event in the file")
    var connection = try Connection(to.configuration)
    let stored = try connection.query("SELECT count(*) FROM log.events")
    #expect(try stored[0].decode(Int64.self, at: 0) == 0)

    // Another log, as long as this one.
    let rig = try Rig(to.configuration, instance: "other")
    try await rig.leads()
    await rig.stop()
    #expect(refusal(lines).hasPrefix("line 1: the database holds another event at position 1"))
    try await TestCluster.shared().drop(to)
  }

  @Test func `a log that does not chain is not exported`() async throws {
    let (from, to) = try await prepared()
    var connection = try Connection(from)
    try connection.script(
      """
      ALTER TABLE log.events DISABLE TRIGGER ALL;
      UPDATE log.events SET actor = 'person/9' WHERE position = 4;
      """)
    let error = #expect(throws: LogError.self) { try export(from) }
    #expect(error?.description.contains("position 4") == true)
    try await TestCluster.shared().drop(to)
  }
}
