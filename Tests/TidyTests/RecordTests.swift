// The coders of records follow from the fields that their declarations list, and from nothing else.

import Foundation
import Records
import Testing

@Suite struct RecordTests {
  private let sources = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Sources")

  @Test(arguments: Coders.modules)
  func `the coders that are kept are those that the fields ask for`(module: String) throws {
    let sources = sources.appending(path: module)
    let wanted = try Coders.files(below: sources)
    let folder = sources.appending(path: Coders.folder)
    let kept = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(Set(kept) == Set(wanted.keys), "run: swift run wharf-records")
    for (name, text) in wanted {
      let found = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
      #expect(found == text, "\(name) is not what the fields ask for; run: swift run wharf-records")
    }
  }

  @Test func `a record's fields are those it stores, in their order`() {
    let records = Record.read(
      """
      /// struct Spoken: Event { let notThis: Int }
      package struct Cargo: Event, Sendable {
        package static let type = "cargo"
        package let name: Name  // let said: Int
        /// let inWords: Int
        package private(set) var weight: Bytes?
        var count = 0 { didSet { count += 1 } }
        var crates: [String: Int] {
          didSet { count = crates.count }
        }
        package var total: Int { count }
        var long:
          TreeDictionary<ID<Model>, Grant> = [:]
        var text: String {
          let inside: Int = 1
          return "\\(inside)"
        }

        package struct Part: Codable,
          SnapshotValue
        {
          let number: Int
        }

        init(name: Name) {
          let local: Int = 2
        }
      }

      extension Cargo.Part {
        struct Label<Of: Named>: JSONWritable where Of: Sendable {
          let of: Of
        }
      }
      """)
    #expect(records.map(\.name) == ["Cargo", "Cargo.Part", "Cargo.Part.Label"])
    #expect(
      records[0].fields.map { "\($0.name): \($0.type ?? "?")" } == [
        "name: Name", "weight: Bytes?", "count: ?", "crates: [String: Int]",
        "long: TreeDictionary<ID<Model>, Grant>",
      ])
    #expect(records[0].protocols == ["Event", "Sendable"])
    #expect(records[1].protocols == ["Codable", "SnapshotValue"])
    #expect(records[1].fields.map(\.name) == ["number"])
    #expect(records[2].protocols == ["JSONWritable"])
  }

  @Test func `a field is written, read and kept as it is declared`() throws {
    let text = try #require(
      try Coders.source(
        for: "Cargo.swift",
        """
        struct Cargo: JSONWritable, CanonicallyRead, SnapshotValue {
          let name: Name
          var until: Timestamp?
        }
        """))
    #expect(
      text == """
        // Written by `swift run wharf-records` from the fields in Cargo.swift; not changed by hand.

        extension Cargo {
          package func write(to json: inout JSONWriter) {
            json.openObject()
            json.field("name", name)
            json.optional("until", until)
            json.closeObject()
          }
        }

        extension Cargo {
          package init?(canonical reader: inout CanonicalReader) {
            guard reader.open(),
              let name = reader.field("name", Name.self),
              let until = reader.optional("until", Timestamp.self),
              reader.close()
            else { return nil }
            self.init(name: name, until: until)
          }
        }

        extension Cargo {
          package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
            try self.init(
              name: snapshot.read(),
              until: snapshot.read())
          }
          package func write(to snapshot: inout SnapshotWriter) {
            snapshot.write(name)
            snapshot.write(until)
          }
        }

        """)
  }

  @Test func `what asks for no coder gets none, and a field without a type is told with its line`()
    throws
  {
    #expect(try Coders.source(for: "a.swift", "struct Plain: Sendable {\n  let a: Int\n}") == nil)
    #expect(
      throws: Coders.Problem(
        description:
          "a.swift:2: cannot write coders for Cargo: the field 'a' does not say its type; "
          + "write 'let a: Type'")
    ) {
      try Coders.source(for: "a.swift", "struct Cargo: Event {\n  let a = 0\n}")
    }
  }
}
