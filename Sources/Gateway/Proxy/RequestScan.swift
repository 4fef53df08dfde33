// Finds, in the body of a request, the bytes of the model's name, whether a stream is asked for, and how
// many tokens it lets an answer have, in one pass and without reading the rest into values, so that
// everything else reaches the engine byte for byte as the client wrote it. Of a stream the engine is asked,
// besides, what it took.

import Hosting
import NIOCore

struct RequestScan: Sendable {
  /// Where the value of the field `model` stands, quotes included.
  let modelRange: Range<Int>
  let model: String
  let isStream: Bool
  let wish: TokenWish
  /// Has the engine say what a stream took, where the client does not ask for that.
  var usageEdit: Edit?

  struct Edit: Sendable, Equatable {
    let range: Range<Int>
    let bytes: [UInt8]

    init(_ range: Range<Int>, _ text: String) { (self.range, bytes) = (range, Array(text.utf8)) }

    init(_ range: Range<Int>, _ bytes: [UInt8]) { (self.range, self.bytes) = (range, bytes) }
  }

  /// The body with the model's name exchanged, and the question for what a stream took.
  func rewritten(_ body: ByteBuffer, model name: String) -> ByteBuffer {
    var json = JSONWriter()
    json.string(name)
    var edits = [Edit(modelRange, json.bytes)]
    if let usageEdit { edits.append(usageEdit) }
    let start = body.readerIndex
    var result = ByteBufferAllocator().buffer(
      capacity: body.readableBytes + edits.reduce(0) { $0 + $1.bytes.count })
    var end = 0
    for edit in edits.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
      result.writeImmutableBuffer(
        body.getSlice(at: start + end, length: edit.range.lowerBound - end)!)
      result.writeBytes(edit.bytes)
      end = edit.range.upperBound
    }
    result.writeImmutableBuffer(
      body.getSlice(at: start + end, length: body.readableBytes - end)!)
    return result
  }
}

extension RequestScan {
  /// The body must be one JSON object with one field `model`. What stands inside other fields is the
  /// engine's business and is only passed over.
  init(_ body: ByteBuffer) throws(Denial) {
    let outcome = body.withUnsafeReadableBytes { bytes -> Result<RequestScan, Denial> in
      var scanner = Scanner(bytes: bytes)
      do throws(Denial) { return .success(try scanner.object()) } catch { return .failure(error) }
    }
    self = try outcome.get()
  }

  private struct Scanner {
    let bytes: UnsafeRawBufferPointer
    var index = 0
    private var model: Range<Int>?
    private var isStream: Bool?
    private var answerTokens: Int?
    private var answers = 1
    private var prompts = 1
    private var streamOptions: Range<Int>?

    init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func object() throws(Denial) -> RequestScan {
      skipSpace()
      guard take("{") else { throw .malformed("The request's body is no JSON object.") }
      let first = index
      skipSpace()
      if !take("}") {
        repeat {
          skipSpace()
          try field()
          skipSpace()
        } while take(",")
        guard take("}") else { throw broken() }
      }
      skipSpace()
      guard index == bytes.count else { throw broken() }
      guard let model else {
        throw .malformed("The request names no model.", parameter: "model")
      }
      let name = try text(model, "model")
      let (all, overflow) = answers.multipliedReportingOverflow(by: prompts)
      return RequestScan(
        modelRange: model, model: name, isStream: isStream ?? false,
        wish: TokenWish(
          promptTokens: bytes.count / TokenWish.bytesPerToken, answerTokens: answerTokens,
          answers: overflow ? .max : all),
        usageEdit: isStream ?? false ? try usageEdit(first) : nil)
    }

    private mutating func field() throws(Denial) {
      let start = index
      guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else { throw broken() }
      try string()
      let key = start..<index
      skipSpace()
      guard take(":") else { throw broken() }
      skipSpace()
      let value = index
      try skipValue()
      if try isKey(key, "model") {
        // Two would let the engine read another one than was checked.
        guard model == nil else { throw .malformed("The field 'model' stands twice.") }
        model = value..<index
      } else if try isKey(key, "stream") {
        guard isStream == nil else { throw .malformed("The field 'stream' stands twice.") }
        isStream = bytes[value] == UInt8(ascii: "t")
      } else if try isKey(key, "stream_options") {
        guard streamOptions == nil else {
          throw .malformed("The field 'stream_options' stands twice.")
        }
        streamOptions = value..<index
      } else if try isKey(key, "max_tokens", "max_completion_tokens") {
        // Engines differ in which one counts.
        if let count = count(value..<index) { answerTokens = max(answerTokens ?? 0, count) }
      } else if try isKey(key, "n", "best_of") {
        answers = max(answers, count(value..<index) ?? 1)
      } else if try isKey(key, "prompt") {
        prompts = max(prompts, try elements(value..<index))
      }
    }

    /// - Parameter first: where the object's first field begins.
    private func usageEdit(_ first: Int) throws(Denial) -> Edit? {
      guard let options = streamOptions else {
        return Edit(first..<first, #""stream_options":{"include_usage":true},"#)
      }
      if bytes[options.lowerBound] == UInt8(ascii: "n") {
        return Edit(options, #"{"include_usage":true}"#)
      }
      var inner = self
      inner.index = options.lowerBound
      // What is no object the engine refuses.
      guard inner.take("{") else { return nil }
      let within = inner.index..<inner.index
      inner.skipSpace()
      if inner.take("}") { return Edit(within, #""include_usage":true"#) }
      guard let asked = try inner.includeUsage() else {
        return Edit(within, #""include_usage":true,"#)
      }
      return bytes[asked.lowerBound] == UInt8(ascii: "t") ? nil : Edit(asked, "true")
    }

    /// The value of the field `include_usage`, from an object's first field on.
    private mutating func includeUsage() throws(Denial) -> Range<Int>? {
      var found: Range<Int>?
      repeat {
        skipSpace()
        guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else { throw broken() }
        let key = index
        try string()
        let keyEnd = index
        skipSpace()
        guard take(":") else { throw broken() }
        skipSpace()
        let value = index
        try skipValue()
        if try isKey(key..<keyEnd, "include_usage") {
          guard found == nil else { throw .malformed("The field 'include_usage' stands twice.") }
          found = value..<index
        }
        skipSpace()
      } while take(",")
      guard take("}") else { throw broken() }
      return found
    }

    private static let longestNumber = 32

    /// Engines read numbers in quotation marks, too.
    private func count(_ range: Range<Int>) -> Int? {
      guard range.count <= Self.longestNumber else { return nil }
      let text = String(decoding: bytes[range], as: UTF8.self).filter { $0 != "\"" }
      guard let number = Double(text), number >= 0 else { return nil }
      return Int(cut: number)
    }

    /// How many texts, or lists, stand in a list; a list of numbers is one text.
    private func elements(_ range: Range<Int>) throws(Denial) -> Int {
      var inner = self
      inner.index = range.lowerBound
      guard inner.take("[") else { return 1 }
      var count = 0
      inner.skipSpace()
      while !inner.take("]") {
        guard inner.index < bytes.count else { throw broken() }
        if [UInt8(ascii: "\""), UInt8(ascii: "[")].contains(bytes[inner.index]) { count += 1 }
        try inner.skipValue()
        inner.skipSpace()
        _ = inner.take(",")
        inner.skipSpace()
      }
      return max(1, count)
    }

    /// Whether a field is one of these.
    private func isKey(_ range: Range<Int>, _ names: StaticString...) throws(Denial) -> Bool {
      let inner = UnsafeRawBufferPointer(
        rebasing: bytes[range.lowerBound + 1..<range.upperBound - 1])
      if inner.contains(UInt8(ascii: "\\")) {
        let text = try text(range, "a field")
        return names.contains { text == "\($0)" }
      }
      return names.contains { name in
        inner.elementsEqual(
          UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
      }
    }

    private func text(_ range: Range<Int>, _ field: String) throws(Denial) -> String {
      do {
        return try JSONValue(document: Array(bytes[range])).string()
      } catch {
        throw .malformed("The name of \(field) cannot be read: \(error.reason).", parameter: field)
      }
    }

    /// Passes over one value: only strings and nesting matter.
    private mutating func skipValue() throws(Denial) {
      let start = index
      var depth = 0
      repeat {
        guard index < bytes.count else { throw broken() }
        switch bytes[index] {
        case UInt8(ascii: "\""): try string()
        case UInt8(ascii: "{"), UInt8(ascii: "["):
          depth += 1
          index += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
          guard depth > 0 else { throw broken() }
          depth -= 1
          index += 1
        case UInt8(ascii: ","), UInt8(ascii: ":"), 0x20, 0x09, 0x0A, 0x0D:
          guard depth > 0 else { throw broken() }
          index += 1
        default: skipScalar()
        }
      } while depth > 0
      if index == start { throw broken() }
    }

    private mutating func skipScalar() {
      while index < bytes.count {
        switch bytes[index] {
        case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), 0x20, 0x09, 0x0A, 0x0D,
          UInt8(ascii: "\""), UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: ":"):
          return
        default: index += 1
        }
      }
    }

    private mutating func string() throws(Denial) {
      index += 1
      while index < bytes.count {
        switch bytes[index] {
        case UInt8(ascii: "\""):
          index += 1
          return
        case UInt8(ascii: "\\"): index += 2
        default: index += 1
        }
      }
      throw broken()
    }

    private mutating func skipSpace() {
      while index < bytes.count {
        switch bytes[index] {
        case 0x20, 0x09, 0x0A, 0x0D: index += 1
        default: return
        }
      }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
      index += 1
      return true
    }

    private func broken() -> Denial {
      .malformed("The request's body is no well-formed JSON: see byte \(min(index, bytes.count)).")
    }
  }
}
