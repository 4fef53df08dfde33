// The state that a read is answered from: the head, at least as far as `Wharf-After` asks, or the
// state as of an earlier position, time or mark.

import EventLog
import HTTPTypes
import HashTreeCollections
import Hosting
import Hummingbird
import Wire

struct ReadContext: Sendable {
  let principal: Principal
  /// The head when the read began: what the witness in the reply speaks of.
  let head: Head
  let state: HostingState
}

struct ReadSource: Sendable {
  /// How long a read waits for the position it was asked to be at.
  static let afterWaitSeconds = 5

  let board: HeadBoard
  let reader: LogReader
  let authentication: Authentication

  func context(_ request: Request) async throws -> ReadContext {
    let head = try await head(atLeast: after(request))
    let principal = try authentication.principal(of: request, in: head.state)
    guard let asked = request.uri.queryParameters["asOf"].map(String.init) else {
      return ReadContext(principal: principal, head: head, state: head.state)
    }
    let position = try await resolve(asked, head)
    let state = position == head.state.position
      ? head.state : try await reader.state(at: position)
    return ReadContext(principal: principal, head: head, state: state)
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
    guard let head = await board.wait(for: position, upTo: .seconds(Self.afterWaitSeconds)) else {
      throw APIError(
        .serviceUnavailable, "notThereYet",
        "this wharfd is at position \(board.current.state.position) and did not reach \(position) "
          + "within \(Self.afterWaitSeconds) s",
        help: "try again, or ask the leader")
    }
    if head.standing == .starting {
      throw APIError(
        .serviceUnavailable, "starting", "this wharfd has not read the log yet", help: "try again")
    }
    return head
  }

  /// What `--as-of` names: a position, a time, or a mark.
  func resolve(_ text: String, _ head: Head) async throws -> Position {
    if let position = Position(text: text) {
      guard position <= head.state.position else {
        throw APIError(
          .badRequest, "positionAhead",
          "there is no position \(position) yet: the log ends at \(head.state.position)")
      }
      return position
    }
    if let name = try? Name(text), let mark = head.state.log.marks[name.key] {
      return mark.position
    }
    if let moment = Timestamp(text) { return try await reader.position(at: moment) }
    throw APIError.badParameter("asOf", text, wanted: "a position, a time or a mark")
  }
}
