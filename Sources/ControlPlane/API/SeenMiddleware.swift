// Tells each caller which log this is, and what it holds at the position that was seen last. The
// answer nearly always comes from memory: what was seen last was a head that was published here.
//
// Where a caller saw more than is here, this wharfd may be one of an old database: it finds out first.

import EventLog
import HTTPTypes
import Hosting
import Hummingbird
import Wire

struct SeenMiddleware<Context: RequestContext>: RouterMiddleware {
  let member: LogMember
  let reader: LogReader
  let authentication: Authentication
  /// The name of the log.
  let log: String

  func handle(
    _ request: Request, context: Context,
    next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    let seen = HTTPField.Name(WharfHeader.seen).flatMap { request.headers[$0] }
    if let seen = seen.flatMap({ HeadWitness(headerText: $0) }),
      seen.isBeyond(member.board.current.witness), let role = role(of: request)
    {
      switch role {
      // Machines speak for this system and nobody else …
      case .agent, .gateway: await member.heed(seen, from: true)
      // … and these people could stop it anyway. Another might, by naming what never was.
      case .admin, .operator: await member.heed(seen, from: false)
      case .viewer, .invited, .joining, .system: break
      }
    }
    var response = try await next(request, context)
    if let name = HTTPField.Name(WharfHeader.log) { response.headers[name] = log }
    // What knows nothing of the state says where it is all the same: a wrong token, an unknown path.
    let head = member.board.current
    if let name = HTTPField.Name(WharfHeader.head), response.headers[name] == nil,
      head.state.position > .empty, head.standing != .starting
    {
      response.headers[name] = head.witness.headerText
    }
    // Programs of before name the position alone.
    guard let name = HTTPField.Name(WharfHeader.seen), let seen, head.standing != .starting,
      let position = HeadWitness(headerText: seen)?.position ?? Position(text: seen),
      let echo = await echo(of: position)
    else { return response }
    response.headers[name] = echo.headerText
    return response
  }

  private func role(of request: Request) -> Role? {
    (try? authentication.principal(of: request, in: member.board.current.state))?.role
  }

  /// None where this wharfd cannot tell: a follower may be behind, a database away.
  private func echo(of position: Position) async -> SeenEcho? {
    let head = member.board.current
    guard position <= head.state.position else {
      guard case .leading = head.standing, member.isInTouch else { return nil }
      return SeenEcho(position: position, hash: nil)
    }
    if let hash = member.board.recentHash(at: position) {
      return SeenEcho(position: position, hash: hash)
    }
    return (try? await reader.hash(at: position)).flatMap { $0 }
      .map { SeenEcho(position: position, hash: $0) }
  }
}
