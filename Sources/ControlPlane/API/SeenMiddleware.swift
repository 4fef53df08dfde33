// Tells each caller which log this is, and what it holds at the position that was seen last. The
// answer nearly always comes from memory: what was seen last was a head that was published here.

import EventLog
import HTTPTypes
import Hosting
import Hummingbird
import Synchronization
import Wire

struct SeenMiddleware<Context: RequestContext>: RouterMiddleware {
  let member: LogMember
  let reader: LogReader
  /// The name of the log.
  let log: String
  private let looks = Looks()

  /// Also whoever shows no token asks this, so few of these questions reach the database at once.
  private final class Looks: Sendable {
    static var limit: Int { 2 }
    private let underWay = Mutex(0)

    func begin() -> Bool {
      underWay.withLock { count in
        guard count < Self.limit else { return false }
        count += 1
        return true
      }
    }
    func end() { underWay.withLock { $0 -= 1 } }
  }

  init(member: LogMember, reader: LogReader, log: String) {
    self.member = member
    self.reader = reader
    self.log = log
  }

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

  /// None where this wharfd cannot tell: a follower may be behind, a database away or busy.
  private func echo(of position: Position) async -> SeenEcho? {
    let head = member.board.current
    guard position <= head.state.position else {
      guard case .leading = head.standing, member.isInTouch else { return nil }
      return SeenEcho(position: position, hash: nil)
    }
    if let hash = member.board.recentHash(at: position) {
      return SeenEcho(position: position, hash: hash)
    }
    guard looks.begin() else { return nil }
    defer { looks.end() }
    return (try? await reader.hash(at: position)).flatMap { $0 }
      .map { SeenEcho(position: position, hash: $0) }
  }
}
