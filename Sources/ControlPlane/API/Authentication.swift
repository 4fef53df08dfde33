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
    KnownCaller.connection?.isKnown(Self.keepsRoom(principal.role))
    return principal
  }

  /// Whose connections stay when room runs short: there may be any number of viewers, and a machine or an
  /// operator that is locked out hurts others.
  private static func keepsRoom(_ role: Role) -> Bool {
    switch role {
    case .admin, .operator, .agent, .gateway, .system: true
    case .viewer, .invited, .joining: false
    }
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

  /// The digest of the secret in `Bearer SECRET`; none where it is no secret of ours.
  static func digest(in header: String) -> Digest? {
    guard let token = bearerToken(in: header), token.count <= Secret.longest else { return nil }
    return Secret(text: String(token)).digest
  }
}
