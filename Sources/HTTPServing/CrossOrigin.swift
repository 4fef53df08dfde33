// Which web pages of other origins may read answers: those that are listed, and nobody else's. The
// protocol is Fetch's CORS; there are no cookies here, so that a listed page still needs a token.

import HTTPTypes
import Hummingbird

package struct CrossOrigin: Sendable {
  package struct Unreadable: Error, CustomStringConvertible {
    package let description: String
  }

  /// What browsers may keep of an answer to their asking.
  private static let preflightSeconds = 600
  private static let longestAskedHeaders = 2048

  private let origins: Set<String>
  private let allowsAll: Bool
  private let exposed: String

  /// - Parameters:
  ///   - origins: `https://app.example.com`, or `*` for all.
  ///   - exposed: The header fields of answers that pages may read.
  package init(origins: [String], exposing exposed: [String]) throws(Unreadable) {
    for origin in origins where origin != "*" && !Self.isOrigin(origin) {
      throw Unreadable(
        description: "'\(origin)' is no origin: write it as browsers send it, as in "
          + "'https://app.example.com' or 'http://localhost:3000', or '*' for all")
    }
    self.origins = Set(origins.map { $0.lowercased() })
    allowsAll = origins.contains("*")
    self.exposed = exposed.joined(separator: ", ")
  }

  private static func isOrigin(_ text: String) -> Bool {
    guard let scheme = text.firstRange(of: "://"),
      ["http", "https"].contains(text[..<scheme.lowerBound].lowercased())
    else { return false }
    let host = text[scheme.upperBound...]
    return !host.isEmpty
      && host.utf8.allSatisfy { (0x21...0x7E).contains($0) && !"/?#@,\"'\\".utf8.contains($0) }
  }

  /// What an answer to this origin names as allowed; none for others.
  private func allowed(_ request: Request) -> String? {
    guard let origin = request.headers[.origin] else { return nil }
    if allowsAll { return "*" }
    return origins.contains(origin.lowercased()) ? origin : nil
  }

  /// The answer to a browser that asks before it sends; none where it is no such question.
  func preflight(_ request: Request, methods: String) -> Response? {
    guard request.method == .options, let origin = allowed(request),
      request.headers[.accessControlRequestMethod] != nil
    else { return nil }
    var fields: HTTPFields = [
      .accessControlAllowOrigin: origin, .accessControlAllowMethods: methods,
      .accessControlMaxAge: "\(Self.preflightSeconds)",
      .vary: "origin, access-control-request-method, access-control-request-headers",
    ]
    if let asked = request.headers[.accessControlRequestHeaders],
      asked.utf8.count <= Self.longestAskedHeaders
    {
      fields[.accessControlAllowHeaders] = asked
    }
    return Response(status: .noContent, headers: fields)
  }

  func open(_ response: inout Response, to request: Request) {
    response.headers.append(HTTPField(name: .vary, value: "origin"))
    guard let origin = allowed(request) else { return }
    response.headers[.accessControlAllowOrigin] = origin
    response.headers[.accessControlExposeHeaders] = exposed
  }
}
