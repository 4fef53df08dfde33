// A request on its way to the leader: it goes on once, never to the sender, and its answer comes back
// whole, or is given up.

import HTTPServing
import HTTPTypes
import Hosting
import Hummingbird
import Logging
import NIOCore
import Synchronization
import TestKit
import Testing
import Wire

@testable import ControlPlane
@testable import EventLog

@Suite(.database, .bounded) struct ForwardingTests {
  /// What stands where the leader was: it notes what comes, and answers as it is told.
  private final class StandIn: Sendable {
    private let requests = Mutex<[HTTPFields]>([])
    private let port: Mutex<Int?> = Mutex(nil)
    private let task: Mutex<Task<Void, any Error>?> = Mutex(nil)

    var seen: [HTTPFields] { requests.withLock { $0 } }

    /// - Parameter stalls: after the head of its answer, and the body so far, for as long as one listens.
    func start(answering body: String, stalls: Bool = false) async throws -> String {
      let router = Router()
      for method in [HTTPRequest.Method.get, .post] {
        router.on("**", method: method) { [self] request, _ -> Response in
          requests.withLock { $0.append(request.headers) }
          let bytes = ByteBuffer(string: body)
          guard stalls else { return Response(status: .ok, body: ResponseBody(byteBuffer: bytes)) }
          return Response(
            status: .ok,
            body: ResponseBody { writer in
              try await writer.write(bytes)
              while true { try await Task.sleep(for: .seconds(60)) }
            })
        }
      }
      let application = Application(
        router: router, server: .plain(),
        configuration: .init(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { [self] channel in
          port.withLock { $0 = channel.localAddress?.port }
        }, logger: .quiet)
      task.withLock { $0 = Task { try await application.run() } }
      let found: Int = try await eventually("the stand-in listens") { port.withLock { $0 } }
      return "http://127.0.0.1:\(found)"
    }

    func stop() async {
      let task = task.withLock { $0 }
      task?.cancel()
      _ = try? await task?.value
    }
  }

  private func call(_ name: String) -> [UInt8] {
    CommandCall(id: .random(), RegisterProvider(name: Name(known: name))).jsonBytes
  }

  /// A wharfd that follows a leader at an address.
  private func follower(of address: String) async throws -> (leader: APIRig, follower: APIRig) {
    let leader = try await APIRig.leading(.current, address: address)
    let follower = try APIRig(.current, instance: "two")
    try await eventually("two follows") {
      follower.member.board.current.standing == .following(address: address)
    }
    return (leader, follower)
  }

  @Test func `a request that was sent on is not sent on again`() async throws {
    let standIn = StandIn()
    let (leader, follower) = try await follower(of: standIn.start(answering: #"{"from":"leader"}"#))
    let first = try await follower.post("/v1/commands", call("xai"))
    #expect(first.status == 200 && first.text == #"{"from":"leader"}"#, "\(first)")
    // As the follower sent it, it comes back to it.
    let name = try #require(HTTPField.Name(WharfHeader.forwarded))
    let sent = try #require(standIn.seen.first?[name])
    for path in ["commands", "agent/heartbeat", "agent/report", "agent/join", "gateway/enforced"] {
      let second = try await follower.post(
        "/v1/\(path)", call("xai"), headers: [WharfHeader.forwarded: sent])
      #expect(second.status == 503 && second.failure?.code == "noLeader", "\(path): \(second)")
    }
    #expect(standIn.seen.count == 1)
    await standIn.stop()
    await follower.stop()
    await leader.stop()
  }

  @Test func `what a gateway asks, and who asks of gateways, is answered by the leader`()
    async throws
  {
    let standIn = StandIn()
    let (leader, follower) = try await follower(of: standIn.start(answering: #"{"from":"leader"}"#))
    for path in ["gateway/policy?after=3&wait=1", "gateways/enforced"] {
      let answer = try await follower.get("/v1/\(path)")
      #expect(answer.status == 200 && answer.text == #"{"from":"leader"}"#, "\(path): \(answer)")
    }
    #expect(standIn.seen.count == 2)
    await standIn.stop()
    await follower.stop()
    await leader.stop()
  }

  @Test(arguments: [(3 << 20, 200), (Forwarding.replyLimitBytes + 1, 502)])
  func `an answer may be much longer than a request, and has its own limit`(
    bytes: Int, status: Int
  ) async throws {
    let standIn = StandIn()
    let long = String(repeating: "n", count: bytes)
    let (leader, follower) = try await follower(of: standIn.start(answering: long))
    let answer = try await follower.post("/v1/commands", call("xai"))
    #expect(answer.status == status, "\(answer.text.prefix(300))")
    if status == 200 {
      #expect(answer.body.count == bytes)
    } else {
      #expect(answer.failure?.code == "replyTooLong")
    }
    await standIn.stop()
    await follower.stop()
    await leader.stop()
  }

  /// A request as a client of a follower sends it.
  private var request: Request {
    Request(
      head: HTTPRequest(method: .post, scheme: nil, authority: nil, path: "/v1/commands"),
      body: RequestBody(buffer: ByteBuffer()))
  }

  @Test func `an answer that stops after its head is waited for no longer than another`()
    async throws
  {
    let standIn = StandIn()
    let (leader, follower) = try await follower(
      of: standIn.start(answering: "{", stalls: true))
    let forwarding = Forwarding(
      member: follower.member, answerMilliseconds: Int64(500 * Pace.stretch))
    let address = try #require(try forwarding.leaderElsewhere())
    let watch = Stopwatch()
    let error = await #expect(throws: APIError.self) {
      _ = try await forwarding.send(call("xai"), request, to: address)
    }
    #expect(watch.seconds < 20)
    #expect(error?.failure.code == "leaderNotReachable", "\(error?.failure as Any)")
    #expect(error?.failure.message.contains("did not answer") == true)
    #expect(standIn.seen.count == 1)
    await follower.stop()
    await leader.stop()
    await standIn.stop()
  }

  @Test func `what was sent on to a leader is given up once another leads`() async throws {
    let standIn = StandIn()
    let (leader, follower) = try await follower(
      of: standIn.start(answering: "{", stalls: true))
    // Longer than the test may take.
    let forwarding = Forwarding(member: follower.member, answerMilliseconds: 600_000)
    let address = try #require(try forwarding.leaderElsewhere())
    let (body, request) = (call("xai"), request)
    let answer = Task { _ = try await forwarding.send(body, request, to: address) }
    try await eventually("it is on its way") { standIn.seen.count == 1 }
    await leader.stop()
    let error = await #expect(throws: APIError.self) { try await answer.value }
    #expect(error?.failure.code == "leaderNotReachable", "\(error?.failure as Any)")
    #expect(error?.failure.message.contains("leads no more") == true)
    guard case .leading = follower.member.board.current.standing else {
      Issue.record("the follower does not lead")
      return
    }
    #expect(try await follower.post("/v1/commands", call("xai")).status == 200)
    await follower.stop()
    await standIn.stop()
  }

  @Test func `started anew while its old session leads on, it sends nothing to itself`()
    async throws
  {
    let old = try await APIRig.leading(.current)
    let new = try APIRig(.current)
    try await eventually("the new one follows") {
      if case .following = new.member.board.current.standing { true } else { false }
    }
    #expect(new.member.board.current.standing == .following(address: nil))
    for path in ["commands", "agent/heartbeat", "agent/report", "agent/join", "gateway/enforced"] {
      let answer = try await new.post("/v1/\(path)", call("xai"))
      #expect(answer.status == 503 && answer.failure?.code == "noLeader", "\(path): \(answer)")
      #expect(answer.failure?.help?.contains("try again") == true)
    }
    // Once the old one is gone it leads.
    await old.stop()
    try await eventually("the new one leads") {
      if case .leading = new.member.board.current.standing { true } else { false }
    }
    #expect(try await new.post("/v1/commands", call("xai")).status == 200)
    await new.stop()
  }
}
