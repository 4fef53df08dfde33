// Tells each caller which log this is, and what it holds at the position that was seen last. The
// answer nearly always comes from memory: what was seen last was a head that was published here.
//
// Where a caller shows a head that is further than this one, this wharfd may be one of an old database: it finds
// out first. A head counts by its seal, whoever shows it: nobody but a wharfd of this system can have made it.

import EventLog
import HTTPTypes
import Hosting
import Hummingbird
import Synchronization
import Wire

struct SeenMiddleware<Context: RequestContext>: RouterMiddleware {
  let member: LogMember
  let reader: LogReader
  let authentication: Authentication
  /// The name of the log.
  let log: String
  let secret: ClusterSecret
  private let looks = Looks()

  /// Callers without a token may ask this too, so few of these questions reach the database at once.
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

  init(
    member: LogMember, reader: LogReader, authentication: Authentication, log: String,
    secret: ClusterSecret
  ) {
    self.member = member
    self.reader = reader
    self.authentication = authentication
    self.log = log
    self.secret = secret
  }

  func handle(
    _ request: Request, context: Context,
    next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    let seen = HTTPField.Name(WharfHeader.seen).flatMap { request.headers[$0] }
    if let shown = HTTPField.Name(WharfHeader.sealedHead).flatMap({ request.headers[$0] })
      .flatMap({ SealedHead(headerText: $0) }),
      shown.head.isBeyond(member.board.current.witness), shown.isGenuine(by: secret)
    {
      // Machines speak for this system and nobody else. People try restored copies out.
      let caller = principal(of: request)
      await member.heed(
        shown.head, from: caller?.role == .agent || caller?.role == .gateway,
        caller: caller.map { "\($0.actor)" })
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
    // What came with another's answer has that one's seal; this wharfd vouches for its own word.
    if let name = HTTPField.Name(WharfHeader.sealedHead), response.headers[name] == nil,
      let told = HTTPField.Name(WharfHeader.head).flatMap({ response.headers[$0] })
        .flatMap({ HeadWitness(headerText: $0) })
    {
      response.headers[name] = SealedHead(told, by: secret).headerText
    }
    // Programs of before name the position alone.
    guard let name = HTTPField.Name(WharfHeader.seen), let seen, head.standing != .starting,
      let position = HeadWitness(headerText: seen)?.position ?? Position(text: seen),
      let echo = await echo(of: position)
    else { return response }
    response.headers[name] = echo.headerText
    return response
  }

  private func principal(of request: Request) -> Principal? {
    try? authentication.principal(of: request, in: member.board.current.state)
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

extension SealedHead {
  private static func seal(_ head: HeadWitness, _ secret: ClusterSecret) -> Digest {
    secret.seal("published head", Array(head.headerText.utf8))
  }

  init(_ head: HeadWitness, by secret: ClusterSecret) {
    self.init(head: head, seal: Self.seal(head, secret))
  }

  func isGenuine(by secret: ClusterSecret) -> Bool { seal == Self.seal(head, secret) }
}
