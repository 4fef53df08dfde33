// A follower that is held five seconds behind: its own backend is stopped, its door is open. It answers
// no read too early, refuses nothing that the leader just allowed, and steers no agent backwards.

import AsyncHTTPClient
import Foundation
import Glibc
import Hosting
import NIOCore
import NIOHTTP1
import TestKit
import Testing
import Wire

@Suite(.turn, .bounded) struct LaggingFollowerTests {
  private static let heldSeconds = 6.0

  private struct Answer: Sendable {
    let status: Int
    let head: HeadWitness?
    let body: String
  }

  private func exchange(
    _ door: String, _ path: String, token: String, after: Int64 = 0, body: [UInt8]? = nil
  ) async throws -> Answer {
    var request = HTTPClientRequest(url: door + path)
    request.headers.add(name: "authorization", value: "Bearer \(token)")
    if after > 0 { request.headers.add(name: WharfHeader.after, value: "\(after)") }
    if let body {
      request.method = .POST
      request.headers.add(name: "content-type", value: "application/json")
      request.body = .bytes(body)
    }
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(120))
    let bytes = try await response.body.collect(upTo: 1 << 20)
    return Answer(
      status: Int(response.status.code),
      head: response.headers.first(name: WharfHeader.head).flatMap { HeadWitness(headerText: $0) },
      body: String(buffer: bytes))
  }

  /// Who leads now, and who follows: on a busy machine the lead may move by itself between two looks.
  private func standings(_ wharfds: Wharfds) async throws -> (leader: Int, follower: Int) {
    let leader = try await wharfds.leading()
    return (leader, 1 - leader)
  }

  /// Holds the follower while a body runs, and for as long as was said.
  private func held(
    _ wharfds: Wharfds, _ follower: Int, _ body: () async throws -> Void
  ) async throws {
    let backend = try wharfds.memberBackend(follower)
    try wharfds.cluster.pause(backend)
    defer { try? wharfds.cluster.resume(backend) }
    guard try wharfds.leader() != follower else {
      throw TestFailure("wharfd \(follower) took the lead as it was to be held")
    }
    let start = ContinuousClock.now
    try await body()
    try await Task.sleep(for: .seconds(Self.heldSeconds) - (ContinuousClock.now - start))
  }

  /// What a follower that is held behind answers, and what it answers after.
  ///
  /// - Parameters:
  ///   - flaw: of a door before the follower; none where it is asked itself.
  ///   - round: names what this one makes.
  private func faults(
    _ wharfds: Wharfds, _ flaw: Door.Rewriting? = nil, round: Int = 0
  ) async throws -> [Fault] {
    let (leader, follower) = try await standings(wharfds)
    let before = try flaw.map { try Door(to: wharfds.url(follower), $0) }
    defer { before?.close() }
    let door = before?.url ?? wharfds.url(follower)
    var faults = Faults()
    let token = try wharfds.token()
    let client = Client(wharfds, token)
    var random = SystemRandomNumberGenerator()
    let invitation = Secret(.invitation, using: &random)
    let mine = Secret(.person, using: &random)
    let (ben, fresh) = (try Name("ben-\(round)"), try Name("fresh-\(round)"))
    var position: Int64 = 0
    try await held(wharfds, follower) {
      let invite = InvitePerson(name: ben, role: .operator, invitation: invitation.digest)
      let register = RegisterProvider(name: fresh)
      for call in [client.call(invite), client.call(register)] {
        guard case .stored(let at) = try await client.settle(call, from: leader) else {
          throw TestFailure("the leader did not store it")
        }
        position = at.value
      }
      // A read that is to see it waits, and then says that it did not come: never an older state.
      let wanted = position
      async let early = exchange(door, "/v1/providers/\(fresh)", token: token, after: wanted)
      // What rests on what the leader just allowed, at the follower's door.
      let accept = client.call(AcceptInvitation(token: mine.digest, prefix: "whp_ben"))
      let accepted = try await exchange(
        door, "/v1/commands", token: invitation.text, body: accept.jsonBytes)
      faults.note("an invitation is refused: \(accepted)", unless: accepted.status == 200)
      var dry = client.call(SuspendProvider(provider: fresh))
      dry.dryRun = true
      let tried = try await exchange(door, "/v1/commands", token: mine.text, body: dry.jsonBytes)
      faults.note("a dry run is refused: \(tried)", unless: tried.status == 200)
      async let reading = exchange(door, "/v1/providers", token: mine.text)
      let answered = try await early
      faults.note(
        "a read too early: \(answered)",
        unless: answered.status == 503 && answered.body.contains("notThereYet"))
      // Not known is not: it may only be behind.
      let read = try await reading
      faults.note(
        "a read is refused: \(read)", unless: read.status == 503 || read.body.contains("\(fresh)"))
    }
    let late = try await exchange(
      door, "/v1/providers/\(fresh)", token: token, after: position)
    faults.note(
      "a late read: \(late)", unless: late.status == 200 && late.body.contains("\(fresh)"))
    let wrong = try await exchange(door, "/v1/providers", token: "wharf-person-nonsense")
    faults.note("nonsense is answered: \(wrong)", unless: wrong.status == 401)
    let nowhere = try await exchange(door, "/v1/nowhere", token: token)
    faults.note("nowhere is answered: \(nowhere)", unless: nowhere.status == 404)
    // Every reply has its position, also to who is not known, or asks for what there is not.
    for answer in [late, wrong, nowhere] {
      faults.note(
        "without its position: \(answer)", unless: (answer.head?.position.value ?? 0) >= position)
    }
    return faults.all
  }

  @Test func `no read too early, nothing refused that was just allowed`() async throws {
    let wharfds = try await Wharfds()
    let found = try await faults(wharfds)
    #expect(found == [])
    await wharfds.remove()
  }

  @Test func `followers that answer too early, deny, or hide where they are, are found out`()
    async throws
  {
    let wharfds = try await Wharfds()
    var forgets = Door.Rewriting()
    forgets.requests = [(WharfHeader.after + ":", "Wharf-Forgotten:")]
    var denies = Door.Rewriting()
    denies.replies = [("503 Service Unavailable", "401 Unauthorized")]
    var hides = Door.Rewriting()
    hides.replies = [(WharfHeader.head + ":", "Wharf-Hidden:")]
    let flaws: [(rewriting: Door.Rewriting, finding: String?)] = [
      (Door.Rewriting(), nil), (forgets, "a read too early"), (denies, "a read is refused"),
      (hides, "without its position"),
    ]
    for (round, flaw) in flaws.enumerated() {
      let found = try await faults(wharfds, flaw.rewriting, round: round)
      guard let finding = flaw.finding else {
        #expect(found == [], "a door that changes nothing")
        continue
      }
      #expect(found.contains { $0.description.hasPrefix(finding) }, "\(finding): \(found)")
    }
    await wharfds.remove()
  }

  @Test func `an agent that saw more is not steered backwards by it`() async throws {
    let wharfds = try await Wharfds()
    let folder = wharfds.folder
    let token = try wharfds.token()
    let (leader, follower) = try await standings(wharfds)
    func wharf(_ command: String) async throws -> String {
      let child = try Child(
        [builtProgram("wharf")] + command.split(separator: " ").map(String.init),
        environment: folder.environment([
          "HOME": folder.path("ada"), "XDG_STATE_HOME": folder.path("ada-state"),
          "WHARF_API": wharfds.url(leader), "WHARF_TOKEN": token, "NO_COLOR": "1",
        ]), folder: folder)
      let status = try await child.waitForExit()
      try #require(status == .code(0), "\(command): \(child.output) \(child.errors)")
      return child.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }
    let ports = try Ports.take(10)
    func agent(at number: Int) throws -> Child {
      return try Child(
        [
          builtProgram("wharf-agent"), "run", "--server", wharfds.url(number), "--data",
          folder.path("agent"), "--name", "node-1", "--join-token-file", folder.path("join-token"),
          "--port-range", "\(ports.lowerBound)-\(ports.upperBound)", "--devices", "4xH100-80G",
          "--cpu", "8",
          "--memory", "64GiB",
        ], environment: folder.environment(), folder: folder)
    }
    let joinToken = try await wharf("node join-token -q")
    try folder.write(secret: joinToken, to: "join-token")
    var running = try agent(at: leader)
    for command in [
      "provider register xai",
      "agreement sign xai --scope inference --audience internal --from 2025-05-01 "
        + "--until 2095-05-01 --notice-days 90",
      "model onboard xai/grok-3 --task chat --context 131072",
      "model add-version xai/grok-3:1 --engine sim --devices 1 --device-memory 70GiB",
      "deployment create grok --model xai/grok-3:1 --replicas 1 --wait",
    ] { _ = try await wharf(command) }
    #expect(folder.engines.count == 1)
    try await held(wharfds, follower) {
      _ = try await wharf("deployment scale grok --replicas 2 --wait")
      let engines = folder.engines
      #expect(engines.count == 2)
      running.send(SIGTERM)
      _ = try await running.waitForExit()
      // The next one asks the follower, which still knows of one replica only.
      running = try agent(at: follower)
      let start = ContinuousClock.now
      while ContinuousClock.now - start < .seconds(4) {
        #expect(folder.engines == engines)
        try await Task.sleep(for: .milliseconds(100))
      }
    }
    _ = try await wharf("deployment scale grok --replicas 3 --wait")
    #expect(folder.engines.count == 3)
    running.send(SIGKILL)
    let stop = try Child(
      [builtProgram("wharf-agent"), "stop-engines", "--data", folder.path("agent")],
      environment: folder.environment(), folder: folder)
    try await stop.waitForExit()
    await wharfds.remove()
  }
}
