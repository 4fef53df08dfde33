// A request on its way to the leader: it goes on once, never to the sender, and its answer comes back
// whole.

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

@Suite(.database, .timeLimit(.minutes(2))) struct ForwardingTests {
  /// What stands where the leader was: it notes what comes, and answers as it is told.
  private final class StandIn: Sendable {
    private let requests = Mutex<[HTTPFields]>([])
    private let port: Mutex<Int?> = Mutex(nil)
    private let task: Mutex<Task<Void, any Error>?> = Mutex(nil)

    var seen: [HTTPFields] { requests.withLock { $0 } }

    func start(answering body: String) async throws -> String {
      let router = Router()
      for method in [HTTPRequest.Method.get, .post] {
        router.on("**", method: method) { [self] request, _ -> Response in
          requests.withLock { $0.append(request.headers) }
          return Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(string: body)))
        }
      }
      let application = Application(
        router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
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
