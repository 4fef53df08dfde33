// The state that a read is answered from: the head, at least as far as `Wharf-After` asks, or the
// state as of an earlier position, time or mark.

import EventLog
import HTTPTypes
import HashTreeCollections
import Hosting
import Hummingbird
import Time
import Wire

struct ReadContext: Sendable {
  let principal: Principal
  /// The head when the read began: what the witness in the reply speaks of.
  let head: Head
  /// What the principal may not know of, judged by the head.
  let visibility: Visibility
  /// The state that is read, without what the principal may not know of.
  let state: HostingState
  /// Now; for a state of the past the moment that was asked for, or of its last event.
  let moment: Timestamp
  /// Whether a state of the past was asked for.
  var isOfThePast = false
  /// What is heard besides the log; none for a state of the past.
  var heard: Viewpoint.Heard?

  var view: Viewpoint { Viewpoint(state: state, moment: moment, heard: heard) }
  /// What the log alone says: what two states are compared by.
  var recorded: Viewpoint { Viewpoint(state: state, moment: moment) }
}

struct ReadSource: Sendable {
  /// How long a read waits for the position it was asked to be at.
  static let afterWaitSeconds = 5

  let board: HeadBoard
  var clocks: Clocks { board.clocks }
  let reader: LogReader
  let authentication: Authentication
  let budgets: APIBudgets
  let signals: SignalBook
  private let look: SharedLook

  init(
    board: HeadBoard, reader: LogReader, authentication: Authentication, budgets: APIBudgets,
    signals: SignalBook
  ) {
    self.signals = signals
    self.board = board
    self.reader = reader
    self.authentication = authentication
    self.budgets = budgets
    look = SharedLook { try await reader.head() }
  }

  /// What a person's read is answered from. Machines and the invited are refused.
  func context(_ request: Request) async throws -> ReadContext {
    var head = try await head(for: request)
    let principal = try await principal(of: request, &head)
    let visibility: Visibility
    do { visibility = try Visibility.of(principal, head.state) } catch {
      throw APIError(error, at: head.state.position)
    }
    let moment = max(authentication.now(), head.state.recordedAt)
    let now = ReadContext(
      principal: principal, head: head, visibility: visibility,
      state: visibility.applied(to: head.state),
      moment: moment, heard: signals.heard(in: head, at: moment, clocks.now))
    guard let asked = request.uri.queryParameters["asOf"].map(String.init) else { return now }
    return try await context(now, asOf: asked)
  }

  /// A person's read whose answer takes some making.
  func answer(
    _ request: Request, _ make: @Sendable (ReadContext) throws -> Response
  ) async throws -> Response {
    let context = try await context(request)
    return try await budgets.reads.run(for: context.principal) { try make(context) }
  }

  /// Who asks. A follower may only be behind the token that it does not know: it refuses by a state
  /// that is where the log ended meanwhile, or past it.
  func principal(of request: Request, _ head: inout Head) async throws -> Principal {
    do {
      return try authentication.principal(of: request, in: head.state)
    } catch let error as APIError where error.failure.code == Authentication.unknownToken {
      guard case .following = head.standing else { throw error }
      head = try await self.head(atLeast: look.head())
      return try authentication.principal(of: request, in: head.state)
    }
  }

  /// The same read, of a state of the past.
  func context(_ now: ReadContext, asOf asked: String) async throws -> ReadContext {
    let head = now.head
    let (position, moment) = try await resolve(asked, head)
    let state =
      position == head.state.position
      ? head.state
      : try await budgets.scans.scan(by: now.principal) { [reader] in
        try await reader.state(at: position)
      }
    return ReadContext(
      principal: now.principal, head: head, visibility: now.visibility,
      state: now.visibility.applied(to: state), moment: moment ?? state.recordedAt,
      isOfThePast: true)
  }

  func head(for request: Request) async throws -> Head {
    try await head(atLeast: after(request))
  }

  private func after(_ request: Request) throws -> Position {
    guard let name = HTTPField.Name(WharfHeader.after), let text = request.headers[name] else {
      return .empty
    }
    guard let position = Position(text: text) else {
      throw APIError.badParameter(WharfHeader.after, text, wanted: "a position")
    }
    return position
  }

  func head(atLeast position: Position) async throws -> Head {
    // What keeps this wharfd from answering is said at once, and not after a wait that it makes vain.
    if board.obstacle != nil { throw APIError.starting(board) }
    guard let head = await board.wait(for: position, upTo: .seconds(Self.afterWaitSeconds)) else {
      throw notThere(position, board.current)
    }
    if head.standing == .starting {
      throw APIError.starting(board)
    }
    return head
  }

  /// A leader has read the whole log, so what it lacks is not there; a follower may only be behind.
  private func notThere(_ position: Position, _ head: Head) -> APIError {
    if board.obstacle != nil { return .starting(board) }
    let at = "this wharfd is at position \(head.state.position)"
    if case .leading = head.standing {
      return APIError(
        .serviceUnavailable, "notInLog", "there is no position \(position): \(at), and leads",
        help: "if the log was restored or begun anew on purpose: wharf login --forget", head: head)
    }
    return APIError(
      .serviceUnavailable, "notThereYet",
      "\(at) and did not reach \(position) within \(Self.afterWaitSeconds) s",
      help: "try again, or ask the leader", head: head)
  }

  /// Behind what the events from a moment on stand. A position is the first of them, and a mark stands behind the
  /// one that it names.
  func position(before text: String, _ head: Head) async throws -> Position {
    switch AskedMoment(text) {
    case .position(let position): return Position(max(0, position.value - 1))
    case .time(let first, _):
      return try await reader.position(at: Timestamp(microseconds: first.microseconds - 1))
    case .mark, nil: return try await resolve(text, head).0
    }
  }

  /// What `--as-of` names: a position, a time, or a mark; and the moment, where a time was named.
  func resolve(_ text: String, _ head: Head) async throws -> (Position, Timestamp?) {
    switch AskedMoment(text) {
    case .position(let position):
      guard position <= head.state.position else {
        throw APIError(
          .badRequest, "positionAhead",
          "there is no position \(position) yet: the log ends at \(head.state.position)",
          help: "name one up to there, a time or a mark")
      }
      return (position, nil)
    case .time(let first, let last):
      let now = max(authentication.now(), head.state.recordedAt)
      guard first <= now else {
        throw APIError(
          .badRequest, "timeAhead",
          "cannot show the state as of \(first.short): it is only \(now.short) here",
          help: "a time without an offset is one of UTC")
      }
      let moment = min(last, now)
      return (try await reader.position(at: moment), moment)
    case .mark(let name):
      if let mark = head.state.log.marks[name.key] { return (mark.position, nil) }
    case nil: break
    }
    throw APIError(
      .badRequest, "malformed",
      "'\(text.shortened(to: 60))' names no moment: expected a position, a time or a mark",
      help: "list the marks with: wharf mark")
  }
}
