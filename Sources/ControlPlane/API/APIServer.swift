// The HTTP API of wharfd: routes put together, errors given their one form.

import EventLog
import HTTPServing
import HTTPTypes
import Hosting
import Hummingbird
import Logging
import NIOCore
import Planner
import Wire

package struct APIServer {
  /// A connection without a request is closed after so long.
  private static let connectionIdleSeconds: Int64 = 120
  /// A body of a mebibyte at most has so long to arrive.
  private static let requestSeconds: Int64 = 60
  /// What pages of other origins may read of an answer's header.
  private static let exposedFields = [
    WharfHeader.head, WharfHeader.sealedHead, WharfHeader.log, WharfHeader.seen, "retry-after",
  ]

  package let member: LogMember
  package let reader: LogReader
  package let bell: LogBell
  package let signals: SignalBook
  package let readers: ReaderBook
  package let secret: ClusterSecret
  package let host: String
  package let port: Int
  package let address: String
  package let connectionsLimit: Int
  /// None where pages of other origins have no business here.
  package let crossOrigin: CrossOrigin?
  package let now: @Sendable () -> Timestamp
  package let logger: Logger
  /// Follows the heads for the long polls: a service beside the server.
  package let changes: ChangeBoard
  private let assignments: Assignments
  private let policies: PolicyBook
  private let uses: TokenUses
  /// What its callers share.
  var budgets: APIBudgets

  /// - Throws: where there is no thread left for readers.
  package init(
    member: LogMember, reader: LogReader, bell: LogBell, signals: SignalBook, readers: ReaderBook,
    secret: ClusterSecret, host: String, port: Int, address: String, connectionsLimit: Int,
    crossOrigin: CrossOrigin? = nil, now: @escaping @Sendable () -> Timestamp, logger: Logger
  ) throws {
    budgets = try APIBudgets()
    self.member = member
    self.reader = reader
    self.bell = bell
    self.signals = signals
    self.readers = readers
    self.secret = secret
    self.host = host
    self.port = port
    self.address = address
    self.connectionsLimit = connectionsLimit
    self.crossOrigin = crossOrigin
    self.now = now
    self.logger = logger
    uses = TokenUses(since: now())
    assignments = Assignments(secret: secret, limits: signals.limits)
    policies = PolicyBook(board: member.board, assignments: assignments)
    changes = ChangeBoard(board: member.board, policies: policies, gateways: signals.gateways)
  }

  package static func crossOrigin(_ origins: [String]) throws(CrossOrigin.Unreadable)
    -> CrossOrigin?
  {
    origins.isEmpty ? nil : try CrossOrigin(origins: origins, exposing: exposedFields)
  }

  private var serving: ServingLimits {
    var limits = ServingLimits()
    limits.idleSeconds = Self.connectionIdleSeconds
    limits.requestSeconds = Self.requestSeconds
    limits.connections = connectionsLimit
    return limits
  }

  package func router() -> Router<APIContext> { router(ConnectionBook(serving)) }

  private func router(_ connections: ConnectionBook) -> Router<APIContext> {
    let router = Router(context: APIContext.self)
    let methods = AllowedMethods()
    let signer = HeadSigner(secret)
    let authentication = Authentication(now: now, uses: uses)
    router.add(
      middleware: SeenMiddleware(
        member: member, reader: reader, authentication: authentication, log: signer.name,
        secret: secret))
    router.add(middleware: ErrorForm(logger: logger, methods: methods, limits: serving))
    router.add(middleware: KnownCaller(connections: connections))
    let source = ReadSource(
      board: member.board, reader: reader, authentication: authentication, budgets: budgets,
      signals: signals)
    router.add(middleware: TokenFirst(source: source, bodies: budgets.bodies))
    router.get("health") { _, _ in
      let head = member.board.current
      guard head.standing != .starting else {
        throw APIError.starting(member.board)
      }
      // The program that starts a new system waits for this, and then comes with the first admin's token.
      guard head.state.persons.count > 0 else {
        throw APIError(
          .serviceUnavailable, "starting", "the first admin is not admitted yet",
          help: "try again in a moment")
      }
      return Response.json(Array(#"{"status":"ok"}"#.utf8), head: head)
    }
    // Whether it does all that it is for: who has several wharfd sends people to those that are.
    router.get("ready") { _, _ in
      let head = member.board.current
      guard head.standing != .starting else { throw APIError.starting(member.board) }
      guard head.state.persons.count > 0 else {
        throw APIError(
          .serviceUnavailable, "starting", "this wharfd is not ready yet",
          help: "try again in a moment")
      }
      if let problem = member.outOfTouch { throw APIError(problem) }
      return Response.json(Array(#"{"status":"ready"}"#.utf8), head: head)
    }
    let routes = router.group("v1")
    let forwarding = Forwarding(member: member, touchSeconds: signals.limits.touchSeconds)
    let commands = CommandRoute(
      member: member, source: source, forwarding: forwarding, now: now)
    routes.post("commands") { request, context in try await commands.handle(request, context) }
    let dryRuns = DryRunRoute(source: source, reader: reader, secret: secret, now: now)
    routes.post("dry-run") { request, context in try await dryRuns.handle(request, context) }
    ReadRoutes(
      source: source, events: EventRoutes(source: source, bell: bell, readers: readers),
      address: address
    ).add(to: routes)
    ProofRoutes(source: source, signer: signer).add(to: routes)
    WhyRoute(source: source, signals: signals).add(to: routes)
    AgentRoutes(
      member: member, source: source, signals: signals, assignments: assignments,
      changes: changes, forwarding: forwarding
    ).add(to: routes)
    GatewayRoutes(
      member: member, source: source, book: signals.gateways, policies: policies,
      olderPolicies: OlderPolicies(assignments: assignments), changes: changes,
      forwarding: forwarding
    ).add(to: routes)
    SightingRoute(source: source, sightings: signals.sightings, forwarding: forwarding)
      .add(to: routes)
    methods.learn(router.routes.map { ($0.path.description, $0.method) })
    return router
  }

  /// The server as a service; `onListening` is called once the port is open, with its number.
  package func application(
    onListening: @escaping @Sendable (Int) async -> Void
  ) -> some ApplicationProtocol {
    let limits = serving
    let connections = ConnectionBook(limits)
    let form: ProblemForm = { ("application/json", APIError($0, limits).body) }
    return Application(
      responder: MannersResponder(
        router(connections).buildResponder(), crossOrigin: crossOrigin,
        methods: "GET, HEAD, POST", form: form),
      server: .serving(limits, connections, form: form),
      configuration: .init(
        address: .hostname(host, port: port), serverName: "wharfd",
        availableConnectionsDelegate: .maximum(connectionsLimit, logger: logger)),
      onServerRunning: { await onListening($0.localAddress?.port ?? port) }, logger: logger)
  }
}

/// Gives every error its one form, the unexpected ones too, and logs those.
private struct ErrorForm<Context: RequestContext>: RouterMiddleware {
  let logger: Logger
  let methods: AllowedMethods
  let limits: ServingLimits

  func handle(
    _ request: Request, context: Context,
    next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch let error as APIError {
      return error.response(from: request, context: context)
    } catch let error as OutOfTouch {
      return APIError(error).response(from: request, context: context)
    } catch let problem as ServingProblem {
      return APIError(problem, limits).response(from: request, context: context)
    } catch let error as HTTPError where error.status == .notFound {
      if let allowed = methods.of(request.uri.path) {
        let problem = APIError(.wrongMethod(allowed: allowed), limits)
        var response = problem.response(from: request, context: context)
        response.headers[.allow] = allowed
        return response
      }
      return APIError(
        .notFound, ErrorReply.unknownRoute,
        "there is no \(request.method.rawValue) \(request.uri.path.shortened(to: 80))",
        help: "use the wharf of the same release as the wharfd"
      ).response(from: request, context: context)
    } catch let error as HTTPError {
      return APIError(
        error.status, ErrorReply.unknownRoute, error.body ?? "\(error.status)",
        help: "use the wharf of the same release as the wharfd"
      )
      .response(from: request, context: context)
    } catch {
      logger.error(
        "a request failed", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
      return APIError(
        .serviceUnavailable, "unavailable",
        "cannot answer \(request.method.rawValue) \(request.uri.path.shortened(to: 80)): \(error)",
        help: "try again"
      ).response(from: request, context: context)
    }
  }
}
