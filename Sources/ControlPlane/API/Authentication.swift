// Who is asking: the bearer token's digest, looked up in the state. The token itself is never kept,
// logged or compared.

import HTTPServing
import HTTPTypes
import Hosting
import Hummingbird
import Wire

struct Authentication: Sendable {
  /// The code of the refusal of a token that may be good elsewhere.
  static let unknownToken = "unknownToken"

  let now: @Sendable () -> Timestamp
  let uses: TokenUses

  /// The principal of a request, or 401.
  func principal(of request: Request, in state: HostingState) throws -> Principal {
    let principal = try identify(request, in: state)
    KnownCaller.connection?.isKnown(true)
    return principal
  }

  private func identify(_ request: Request, in state: HostingState) throws -> Principal {
    guard let header = request.headers[.authorization] else {
      throw APIError(
        .unauthorized, "noToken", "this request carries no token",
        help: "send 'Authorization: Bearer TOKEN'; on the command line: wharf login")
    }
    let now = max(self.now(), state.recordedAt)
    guard let secret = Self.digest(in: header),
      let principal = state.principal(presenting: secret, now: now)
    else {
      throw APIError(
        .unauthorized, Self.unknownToken,
        "the token of this request is not known, or no longer good",
        help: "log in again with: wharf login")
    }
    uses.note(principal, at: now)
    return principal
  }

  /// Of the secret in `Bearer SECRET`; none where it is no secret of ours.
  static func digest(in header: String) -> Digest? {
    let parts = header.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "bearer", parts[1].count <= Secret.longest
    else { return nil }
    return Secret(text: String(parts[1])).digest
  }
}
