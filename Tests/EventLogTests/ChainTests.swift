// The encoding under the hash: the worked example of the document, and the same written in SQL.

import Foundation
import Hosting
import Postgres
import TestKit
import Testing

@testable import EventLog

@Suite(.database) struct ChainTests {
  private static let id = CommandID("01890a5d-ac96-774b-bcce-b302099a8057")!

  private static let example = StoredEvent(
    position: 1, stream: .log, type: "markPlaced", schemaVersion: 1,
    data: Array(#"{"name":"start","position":0}"#.utf8), metadata: Array("{}".utf8),
    commandID: id, commandHash: Digest(bytes: [UInt8](repeating: 7, count: 32)),
    correlationID: id, causation: nil, actor: .of(Stream(.person, 3)),
    recordedAt: Timestamp("2025-06-01T00:00:00.123456Z")!, hash: .zero)

  @Test func `the worked example of the document is right`() throws {
    let document = try String(
      contentsOf: URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Migrations/CHAIN.md"), encoding: .utf8)
    func stated(_ name: String) -> String? {
      document.split(separator: "\n").first { $0.hasPrefix("\(name) ") && $0.contains(" = ") }
        .map { String($0.split(separator: " ").last ?? "") }
    }
    #expect(stated("row") == Chain.row(Self.example).hexadecimal)
    #expect(stated("digest") == Chain.digest(of: Self.example).description)
    #expect(stated("hash") == Chain.hash(of: Self.example, after: Chain.origin).description)
    let fields = document.split(separator: "\n").filter { $0.hasPrefix("| `") == false }
      .compactMap { line -> String? in
        let cells = line.split(separator: "|").map { $0.filter { $0 != " " && $0 != "`" } }
        return cells.count == 3 && cells[2].allSatisfy(\.isHexDigit) ? cells[2] : nil
      }
    #expect(fields.joined() == Chain.row(Self.example).hexadecimal)
  }

  @Test func `the chain written a second time, in SQL, gives the same hashes`() async throws {
    let rig = try await Rig.leading(.current)
    try await rig.send(RegisterProvider(name: Name(known: "xai"), title: Text("xAI \"é\" 😀")))
    try await rig.send(SuspendProvider(provider: Name(known: "xai")))
    await rig.stop()
    let before = try rig.verified()
    var connection = try Connection(rig.database)
    try connection.script(ChainSQL.rewrite(1, "actor = actor"))
    #expect(try rig.verified() == before)
  }
}
