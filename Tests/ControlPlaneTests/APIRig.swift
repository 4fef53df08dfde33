// The API of a wharfd in process, without a socket of its own.

import HTTPTypes
import Hosting
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Postgres
import TestKit
import Testing
import Wire

@testable import ControlPlane
@testable import EventLog

final class APIRig: Sendable {
  static let secret = LogRig.secret
  static let admin = Secret(text: "wharf-person-admin")

  let member: LogMember
  let server: APIServer
  private let task: Task<Void, any Error>

  /// - Parameters:
  ///   - origins: whose pages may use it.
  ///   - adjust: of the log's settings, its address too.
  init(
    _ database: TestDatabase, instance: String = "one",
    readers: ReaderBook = ReaderBook(logger: .quiet), connectionsLimit: Int = 64,
    origins: [String] = [], adjust: (inout LogSettings) -> Void = { _ in }
  ) throws {
    _ = try Migrator.migrate(database.configuration)
    let keys = PersonKeys(Self.secret)
    var settings = LogSettings(
      database: try database.configuration, instance: instance, address: "http://\(instance)",
      makeCommandID: { .random() })
    settings.keys = keys
    adjust(&settings)
    let member = try LogMember(settings: settings, secret: Self.secret, logger: .quiet)
    self.member = member
    server = try APIServer(
      member: member,
      reader: LogReader(pool: try Pool(database.configuration), keys: keys), bell: LogBell(),
      signals: SignalBook(), readers: readers, secret: Self.secret, host: "127.0.0.1", port: 0,
      address: settings.address, connectionsLimit: connectionsLimit,
      crossOrigin: try APIServer.crossOrigin(origins), now: { Timestamp("2026-11-01")! },
      logger: .quiet)
    let changes = server.changes
    task = Task {
      async let _ = changes.run()
      try await member.run()
    }
  }

  /// One that leads, with an admin.
  ///
  /// - Parameter address: where it says that its API is.
  static func leading(
    _ database: TestDatabase, address: String = "http://one", connectionsLimit: Int = 64,
    origins: [String] = [], adjust: (inout LogSettings) -> Void = { _ in }
  ) async throws -> APIRig {
    let rig = try APIRig(database, connectionsLimit: connectionsLimit, origins: origins) {
      $0.address = address
      adjust(&$0)
    }
    try await eventually("it leads") {
      if case .leading = rig.member.board.current.standing { true } else { false }
    }
    try await rig.submit(
      AdmitFirstAdmin(
        name: Name(known: "admin"), token: admin.digest, prefix: Text("whp_first")), by: .wharfd)
    return rig
  }

  @discardableResult
  func submit(_ command: any Command, by principal: Principal) async throws -> Receipt {
    try await member.submit(
      CommandRequest(id: .random(), command: command, principal: principal))
  }

  /// Someone with a token of their own.
  func invite(_ name: String, _ role: Role) async throws -> Secret {
    let invitation = Secret(text: "wharf-invitation-\(name)").digest
    let token = Secret(text: "wharf-person-\(name)")
    let state = member.board.current.state
    let admin = try #require(state.principal(presenting: Self.admin.digest, now: state.recordedAt))
    let person = try await submit(
      InvitePerson(name: Name(known: name), role: role, invitation: invitation), by: admin
    ).events[0].stream
    try await submit(
      AcceptInvitation(token: token.digest, prefix: Text("whp_other")),
      by: Principal(actor: .of(person), role: .invited))
    return token
  }

  struct Answer: Sendable {
    let status: Int
    let head: HeadWitness?
    let sealed: SealedHead?
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
    var failure: ErrorReply.Failure? { (try? ErrorReply(jsonBytes: body))?.error }
  }

  func post(
    _ path: String, _ body: [UInt8], token: Secret = APIRig.admin,
    headers more: [String: String] = [:]
  ) async throws -> Answer {
    try await send(.post, path, body, token, more)
  }

  func get(
    _ path: String, token: Secret = APIRig.admin, headers more: [String: String] = [:]
  ) async throws -> Answer {
    try await send(.get, path, [], token, more)
  }

  private func send(
    _ method: HTTPRequest.Method, _ path: String, _ body: [UInt8], _ token: Secret,
    _ more: [String: String]
  ) async throws -> Answer {
    var fields: HTTPFields = [.authorization: "Bearer \(token.text)"]
    for (name, value) in more { fields[try #require(HTTPField.Name(name))] = value }
    let sent = fields
    let application = Application(router: server.router(), logger: .quiet)
    return try await application.test(.router) { client in
      try await client.execute(
        uri: path, method: method, headers: sent, body: ByteBuffer(bytes: body)
      ) { response in
        Answer(
          status: response.status.code,
          head: HTTPField.Name(WharfHeader.head).flatMap { response.headers[$0] }
            .flatMap { HeadWitness(headerText: $0) },
          sealed: HTTPField.Name(WharfHeader.sealedHead).flatMap { response.headers[$0] }
            .flatMap { SealedHead(headerText: $0) },
          body: Array(buffer: response.body))
      }
    }
  }

  func stop() async {
    member.stop()
    _ = try? await task.value
  }
}
