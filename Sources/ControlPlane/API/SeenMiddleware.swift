// Tells each caller which log this is, and what it holds at the position that was seen last. The
// answer nearly always comes from memory: what was seen last was a head that was published here.

import EventLog
import HTTPTypes
import Hosting
import Hummingbird
import Wire

struct SeenMiddleware<Context: RequestContext>: RouterMiddleware {
  let member: LogMember
  let reader: LogReader
  /// The name of the log.
  let log: String

  func handle(
    _ request: Request, context: Context,
    next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    var response = try await next(request, context)
    if let name = HTTPField.Name(WharfHeader.log) { response.headers[name] = log }
    // What knows nothing of the state says where it is all the same: a wrong token, an unknown path.
    let head = member.board.current
    if let name = HTTPField.Name(WharfHeader.head), response.headers[name] == nil,
      head.state.position > .empty
    {
      response.headers[name] = head.witness.headerText
    }
    guard let name = HTTPField.Name(WharfHeader.seen), let text = request.headers[name],
      let position = Position(text: text), let echo = await echo(of: position)
    else { return response }
    response.headers[name] = echo.headerText
    return response
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
