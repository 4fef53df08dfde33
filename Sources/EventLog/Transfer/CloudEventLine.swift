// One event as a line of JSON in the CloudEvents 1.0 format, and back, to the byte. What CloudEvents
// has no name for goes in extension attributes; those are texts, so the exact text of `metadata` is a
// string. `data` stands as it is, for whoever reads the file. Where a line could not hold it (JSON
// text may break lines), or the reader would not give the same bytes back, `datatext` holds it too.
//
//   id position · source the log · subject stream · time recorded_at · chainhash hash
//   schemaversion metadata commandid commandhash correlationid causation actor: the columns

import Hosting

enum CloudEventLine {
  /// A longer line is none of ours: a command, and so its events, has at most 1 MiB.
  static let longestBytes = 8 << 20
  static let specVersion = "1.0"
  static let contentType = "application/json"

  /// Names the log for ever: by the hash of its first event.
  static func source(firstHash: Digest) -> String {
    "/wharf/log/" + firstHash.bytes.prefix(8).map { [$0].hexadecimal }.joined()
  }

  // MARK: Writing

  /// Without the newline.
  static func text(_ event: StoredEvent, source: String) -> [UInt8] {
    var json = JSONWriter()
    json.openObject()
    json.key("specversion")
    json.string(specVersion)
    json.key("id")
    json.string(event.position.description)
    json.key("source")
    json.string(source)
    json.key("type")
    json.string(event.type)
    json.key("subject")
    json.string(event.stream.description)
    json.key("time")
    json.string(event.recordedAt.description)
    json.key("datacontenttype")
    json.string(contentType)
    json.key("schemaversion")
    json.integer(Int64(event.schemaVersion))
    json.key("actor")
    json.string(event.actor.description)
    json.key("commandid")
    json.string(event.commandID.description)
    if let hash = event.commandHash {
      json.key("commandhash")
      json.string(hash.description)
    }
    json.key("correlationid")
    json.string(event.correlationID.description)
    if let causation = event.causation {
      json.key("causation")
      json.string(causation.description)
    }
    json.key("metadata")
    json.string(String(decoding: event.metadata, as: UTF8.self))
    json.key("chainhash")
    json.string(event.hash.description)
    writeData(event.data, to: &json)
    json.closeObject()
    return json.bytes
  }

  private static func writeData(_ data: [UInt8], to json: inout JSONWriter) {
    let survives =
      data.allSatisfy { $0 >= 0x20 } && (try? JSONValue(document: data))?.text == data
    if survives {
      json.key("data")
      json.raw(data)
    } else {
      json.key("datatext")
      json.string(String(decoding: data, as: UTF8.self))
    }
  }

  // MARK: Reading

  /// - Returns: the event, and the log that its line names.
  static func event(_ line: [UInt8]) throws(JSONProblem) -> (event: StoredEvent, source: String) {
    var fields = try Fields(JSONValue(document: line))
    guard try fields.text("specversion") == specVersion else {
      throw JSONProblem("is not CloudEvents \(specVersion)", at: "specversion")
    }
    guard try fields.text("datacontenttype") == contentType else {
      throw JSONProblem("is not \(contentType)", at: "datacontenttype")
    }
    let source = try fields.text("source")
    let schemaVersion = try fields.take("schemaversion").integer()
    guard let schemaVersion = Int16(exactly: schemaVersion) else {
      throw JSONProblem("is out of range", at: "schemaversion")
    }
    let event = StoredEvent(
      position: try fields.read("id") { Position(text: $0).flatMap { $0 == .empty ? nil : $0 } },
      stream: try fields.read("subject") { Stream($0) },
      type: try fields.text("type"), schemaVersion: Int(schemaVersion),
      data: try data(&fields), metadata: Array(try fields.text("metadata").utf8),
      commandID: try fields.read("commandid") { CommandID($0) },
      commandHash: try fields.readIfThere("commandhash") { Digest($0) },
      correlationID: try fields.read("correlationid") { CommandID($0) },
      causation: try fields.readIfThere("causation") { Position(text: $0) },
      actor: try fields.read("actor") { Actor($0) },
      recordedAt: try fields.read("time") { Timestamp($0) },
      hash: try fields.read("chainhash") { Digest($0) })
    try fields.end()
    return (event, source)
  }

  private static func data(_ fields: inout Fields) throws(JSONProblem) -> [UInt8] {
    if let text = try fields.readIfThere("datatext", { $0 }) { return Array(text.utf8) }
    return try fields.take("data").text
  }

  /// The attributes of a line, each taken once.
  private struct Fields {
    private var left: [String: JSONValue] = [:]

    init(_ value: JSONValue) throws(JSONProblem) {
      for field in try value.fields() { left[field.key] = field.value }
    }

    mutating func take(_ name: String) throws(JSONProblem) -> JSONValue {
      guard let value = left.removeValue(forKey: name) else {
        throw JSONProblem("is missing", at: name)
      }
      return value
    }

    mutating func text(_ name: String) throws(JSONProblem) -> String {
      let value = try take(name)
      do { return try value.string() } catch { throw JSONProblem(error.reason, at: name) }
    }

    mutating func read<Value>(
      _ name: String, _ make: (String) -> Value?
    ) throws(JSONProblem) -> Value {
      let text = try text(name)
      guard let value = make(text) else {
        throw JSONProblem("cannot be '\(text.shortened(to: 60))'", at: name)
      }
      return value
    }

    mutating func readIfThere<Value>(
      _ name: String, _ make: (String) -> Value?
    ) throws(JSONProblem) -> Value? {
      left[name] == nil ? nil : try read(name, make)
    }

    /// What a line has beside is refused: it would be lost in silence.
    func end() throws(JSONProblem) {
      if let name = left.keys.min() { throw JSONProblem("is no attribute of an export", at: name) }
    }
  }
}
