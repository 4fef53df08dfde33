// Which header fields pass through the gateway: in both directions only a few named ones, so that neither a
// secret of a client's nor one of an engine's leaves by a field that nobody thought of.

import HTTPServing
import HTTPTypes
import Hosting
import NIOHTTP1
import Time

enum Headers {
  private static let towardsEngine: [HTTPField.Name] = [
    .accept, .userAgent, HTTPField.Name("traceparent")!,
    HTTPField.Name("tracestate")!,
  ]

  static func request(
    from client: HTTPFields, engineKey: String, requestID: String
  ) -> HTTPHeaders {
    var headers = HTTPHeaders()
    headers.reserveCapacity(towardsEngine.count + 3)
    for name in towardsEngine {
      if let value = client[name] { headers.add(name: name.canonicalName, value: value) }
    }
    // It was read as JSON, whatever its client called it.
    headers.add(name: "content-type", value: "application/json")
    headers.add(name: "authorization", value: "Bearer \(engineKey)")
    // llama.cpp's Python server, for one, answers any other form with 400 and no word.
    if isUUID(requestID) {
      headers.add(name: HTTPField.Name.requestID.canonicalName, value: requestID)
    }
    return headers
  }

  /// What an answer's content is, and how long a model took for it. Limits, ids and which pages may read an
  /// answer are the gateway's to say; what an engine says of itself is nobody's else.
  private static let towardsClient: [HTTPField.Name] = [
    .contentType, .contentEncoding, .contentLanguage, .cacheControl,
    HTTPField.Name("openai-processing-ms")!,
  ]

  static func reply(from engine: HTTPHeaders) -> HTTPFields {
    var fields = HTTPFields()
    fields.reserveCapacity(towardsClient.count + 8)
    for name in towardsClient {
      for value in engine[name.canonicalName] { fields.append(HTTPField(name: name, value: value)) }
    }
    return fields
  }

  /// The key of `Authorization: Bearer KEY`.
  static func bearer(_ fields: HTTPFields, limitBytes: Int) throws(Denial) -> Substring {
    guard let value = fields[.authorization] else { throw .missingKey }
    // Longer ones are nobody's: they are not even digested.
    guard value.utf8.count <= limitBytes else { throw .unknownKey }
    guard let key = bearerToken(in: value) else { throw .missingKey }
    return key
  }

  static let longestRequestID = 64

  /// The client's own id where it can be no more than an id, else one made here: it stands in the log.
  static func requestID(_ fields: HTTPFields, _ random: Clocks.Random) -> String {
    if let given = fields[.requestID], (1...longestRequestID).contains(given.utf8.count),
      given.utf8.allSatisfy({ isOfAnID($0) })
    {
      return given
    }
    return randomUUID(random)
  }

  private static func isOfAnID(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
      UInt8(ascii: "."), UInt8(ascii: ":"):
      true
    default: false
    }
  }

  /// Version 4.
  private static func randomUUID(_ random: Clocks.Random) -> String {
    var bytes = random.bytes(16)
    bytes[6] = bytes[6] & 0x0F | 0x40
    bytes[8] = bytes[8] & 0x3F | 0x80
    return [0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map { Array(bytes[$0]).hexadecimal }
      .joined(separator: "-")
  }

  private static func isUUID(_ text: String) -> Bool {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    return parts.map(\.utf8.count) == [8, 4, 4, 4, 12] && parts.joined().allSatisfy(\.isHexDigit)
  }

  static let quotaFields: [HTTPField.Name] = ["requests", "tokens"].flatMap { kind in
    ["limit", "remaining", "reset"].map { HTTPField.Name("x-ratelimit-\($0)-\(kind)")! }
  }

  static func write(_ quota: QuotaReading, to fields: inout HTTPFields) {
    for (kind, line) in [("requests", quota.requests), ("tokens", quota.tokens)] {
      guard let line else { continue }
      fields[HTTPField.Name("x-ratelimit-limit-\(kind)")!] = String(line.limit)
      fields[HTTPField.Name("x-ratelimit-remaining-\(kind)")!] = String(line.remaining)
      fields[HTTPField.Name("x-ratelimit-reset-\(kind)")!] = span(line.resetSeconds)
    }
  }

  /// As OpenAI writes spans of time: `120ms`, `8.5s`, `6m0s`.
  static func span(_ seconds: Double) -> String {
    let milliseconds = Int(cut: (seconds * 1000).rounded(.up))
    if milliseconds < 1000 { return "\(milliseconds)ms" }
    let (whole, rest) = milliseconds.quotientAndRemainder(dividingBy: 1000)
    let (minutes, left) = whole.quotientAndRemainder(dividingBy: 60)
    let fraction = rest == 0 ? "" : ".\(rest / 100)"
    return minutes == 0 ? "\(left)\(fraction)s" : "\(minutes)m\(left)\(fraction)s"
  }
}
