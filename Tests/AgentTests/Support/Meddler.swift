// A proxy between an agent and its control plane, as stand in networks: honest, until it is told to
// meddle. It speaks HTTP on a real socket, to a real control plane's stand-in.

import AsyncHTTPClient
import HTTPServing
import HTTPTypes
import Hosting
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import Synchronization
import Wire

@testable import Agent

final class Meddler: Sendable {
  enum Way: Sendable, CaseIterable {
    /// The token of the agent never arrives.
    case stripsTokens
    /// What the control plane says of attempts arrives as an empty list.
    case emptiesLists
    /// A login page, where an answer was asked for.
    case answersWithAPage
    case answers401, answers403, answers404, answers410
    /// The answer is that of an earlier question.
    case answersFromMemory
    /// The word that the node was removed, made up by who does not know its credential.
    case saysRemoved
  }

  private struct State {
    var way: Way?
    var meddled = 0
    var remembered: [String: Response] = [:]
  }

  private let state = Mutex(State())
  private let upstream: String

  private init(upstream: String) { self.upstream = upstream }

  func meddle(_ way: Way?) {
    state.withLock { state in
      state.way = way
      state.meddled = 0
    }
  }

  /// Answers that were meddled with since it was told to.
  var meddled: Int { state.withLock { $0.meddled } }

  /// - Parameter test: is given a server that stands where the proxy listens.
  static func use(
    before server: StandInServer,
    _ test: @escaping @Sendable (Meddler, StandInServer) async throws -> Void
  ) async throws {
    let meddler = Meddler(upstream: server.url)
    var log = Logger(label: "meddler")
    log.logLevel = .critical
    let started = Nudge()
    let bound = BoundPort(0)
    let router = Router()
    for path in ["assignment", "report", "heartbeat", "join"] {
      for method in [HTTPRequest.Method.get, .post] {
        router.on("/v1/agent/\(RouterPath(path))", method: method) { request, _ in
          try await meddler.handle(request)
        }
      }
    }
    let application = Application(
      router: router, server: .plain(),
      configuration: .init(address: .hostname("127.0.0.1", port: 0)),
      onServerRunning: { channel in
        if let port = channel.localAddress?.port { bound.port.withLock { $0 = port } }
        started.nudge()
      }, logger: log)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await application.run() }
      group.addTask {
        await started.wait(longestMilliseconds: 3_600_000)
        let place = StandInServer(standIn: server.standIn, port: bound.port.withLock { $0 })
        try await test(meddler, place)
      }
      try await group.next()
      group.cancelAll()
      try? await group.waitForAll()
    }
  }

  private func handle(_ request: Request) async throws -> Response {
    let way = state.withLock { $0.way }
    switch way {
    case .answersWithAPage: return meddled(.ok, "<html>please log in</html>")
    case .answers401: return meddled(.unauthorized, "")
    case .answers403: return meddled(.forbidden, "no")
    case .answers404: return meddled(.notFound, "")
    case .answers410: return meddled(.gone, "")
    case .saysRemoved:
      let head = HeadWitness(era: 1, position: 1_000, hash: digest(9))
      let reply = NodeRemovedReply(node: Stream(.node, 5), position: 999, head: head)
      return meddled(.gone, String(decoding: reply.jsonBytes, as: UTF8.self))
    case .answersFromMemory:
      if let kept = state.withLock({ $0.remembered[request.uri.path] }) {
        state.withLock { $0.meddled += 1 }
        // A polite one, or the agent would ask a thousand times a second.
        try await Task.sleep(for: .milliseconds(50))
        return kept
      }
    case .stripsTokens, .emptiesLists, nil: break
    }
    return try await pass(on: request, way)
  }

  private func meddled(_ status: HTTPResponse.Status, _ body: String) -> Response {
    state.withLock { $0.meddled += 1 }
    return Response(
      status: status, headers: [:], body: .init(byteBuffer: ByteBuffer(string: body)))
  }

  private func pass(on request: Request, _ way: Way?) async throws -> Response {
    var onward = HTTPClientRequest(url: upstream + request.uri.string)
    onward.method = request.method == .get ? .GET : .POST
    for field in request.headers where field.name != .contentLength {
      if way == .stripsTokens, field.name == .authorization { continue }
      onward.headers.add(name: field.name.canonicalName, value: field.value)
    }
    let body = Array(buffer: try await request.body.collect(upTo: 1 << 20))
    if request.method == .post { onward.body = .bytes(body) }
    let answer = try await HTTPClient.shared.execute(onward, timeout: .seconds(60))
    var content = Array(buffer: try await answer.body.collect(upTo: 1 << 20))
    if way == .emptiesLists { content = Self.emptied(content) }
    if way == .stripsTokens || way == .emptiesLists { state.withLock { $0.meddled += 1 } }
    var headers: HTTPFields = [:]
    for (name, value) in answer.headers {
      guard let name = HTTPField.Name(name), name != .contentLength, name != .transferEncoding,
        name != .connection
      else { continue }
      headers[name] = value
    }
    let response = Response(
      status: .init(code: Int(answer.status.code)), headers: headers,
      body: .init(byteBuffer: ByteBuffer(bytes: content)))
    if answer.status.code == 200 { state.withLock { $0.remembered[request.uri.path] = response } }
    return response
  }

  /// As a filter does that thinks it knows better what JSON should be.
  private static func emptied(_ content: [UInt8]) -> [UInt8] {
    guard var assignment = try? Assignment(jsonBytes: content) else { return content }
    assignment.attempts = []
    assignment.generation = assignment.generation.next
    assignment.head.position = assignment.head.position.next
    return assignment.jsonBytes
  }
}
