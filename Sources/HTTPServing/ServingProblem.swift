// What is wrong with a request before any route sees it. Each server puts it into its own form.

package enum ServingProblem: Error, Equatable, Sendable {
  /// Its header is longer than the limits allow.
  case headerTooLong
  /// It is no HTTP.
  case malformed
  /// It names no host, or several: a proxy before this server may have understood it as another's.
  case notOneHost
  /// Its body did not arrive in time.
  case tooSlow
  /// Its body is compressed, by this.
  case encoded(String)
  /// The path answers to these methods only.
  case wrongMethod(allowed: String)

  package var status: Int {
    switch self {
    case .headerTooLong: 431
    case .malformed, .notOneHost: 400
    case .tooSlow: 408
    case .encoded: 415
    case .wrongMethod: 405
    }
  }

  package var code: String {
    switch self {
    case .headerTooLong: "header_too_long"
    case .malformed, .notOneHost: "malformed_request"
    case .tooSlow: "request_too_slow"
    case .encoded: "encoding_not_supported"
    case .wrongMethod: "method_not_allowed"
    }
  }

  package func message(_ limits: ServingLimits) -> String {
    switch self {
    case .headerTooLong:
      "The request's header is too long: a field may have \(limits.headerFieldBytes) bytes, all of "
        + "them \(limits.headerListBytes), and there may be \(limits.headerCount)."
    case .malformed: "The request is no well-formed HTTP/1.1."
    case .notOneHost: "A request of HTTP/1.1 has the field Host, once."
    case .tooSlow: "The request's body did not arrive within \(limits.requestSeconds) s."
    case .encoded(let encoding):
      "The request's body is encoded as '\(encoding)', which is not read here: send it as it is."
    case .wrongMethod(let allowed): "This path answers to \(allowed) only."
    }
  }
}
