// What the callers of the API share: each person a part, machines and admins always some, and nobody
// anything for good.

import Glibc
import Hosting
import Hummingbird
import Postgres
import Synchronization
import TestKit
import Testing
import Wire

@testable import ControlPlane
@testable import EventLog

@Suite(.bounded) struct BudgetTests {
  private func someone(_ number: Int, _ role: Role = .viewer) -> Principal {
    Principal(actor: .of(Stream(.person, Position(Int64(number)))), role: role)
  }

  private func code(_ body: () throws -> Void) -> String? {
    do { try body() } catch { return (error as? APIError)?.failure.code }
    return nil
  }

  @Test func `bodies: a person has a part, strangers little, machines and admins what is left`() {
    let budget = BodyBudget()
    let mebibyte = 1 << 20
    let viewer = BodyBudget.Sender(someone(1))
    let fits = (0..<100).count { _ in budget.take(mebibyte, for: viewer) }
    #expect(fits == BodyBudget.personBytes / mebibyte)
    let strangers = (0..<100).count { _ in budget.take(mebibyte, for: .stranger) }
    #expect(strangers == BodyBudget.strangersBytes / mebibyte)
    // However many persons there are, half is left to machines and admins.
    for number in 2..<100 {
      while budget.take(mebibyte, for: BodyBudget.Sender(someone(number))) {}
    }
    #expect(budget.heldBytes == BodyBudget.othersBytes)
    let machines = (0..<1_000).count { _ in
      budget.take(mebibyte, for: BodyBudget.Sender(someone(0, .agent)))
    }
    #expect(machines == (BodyBudget.allBytes - BodyBudget.othersBytes) / mebibyte)
    #expect(!budget.take(1, for: BodyBudget.Sender(someone(0, .admin))))
    for _ in 0..<fits { budget.giveBack(mebibyte, of: viewer) }
    #expect(budget.take(mebibyte, for: viewer))
  }

  @Test func `answers: a person has some at once, others theirs, and all on threads that give way`()
    async throws
  {
    let reads = try ReadLanes(count: 1)
    let gate = Mutex(false)
    let first = someone(1)
    let held = Task {
      try await reads.run(for: first) {
        while !gate.withLock({ $0 }) { usleep(1_000) }
        return getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0)
      }
    }
    try await eventually("the first is under way") { reads.underway == 1 }
    // Behind the first they wait.
    let waiting = (1..<ReadLanes.perPersonLimit).map { number in
      Task { try await reads.run(for: first) { number } }
    }
    try await eventually("all wait") { reads.underway == ReadLanes.perPersonLimit }
    await #expect(throws: APIError.self) { try await reads.run(for: first) {} }
    let other = Task { try await reads.run(for: someone(2)) { "other" } }
    try await eventually("another waits, too") { reads.underway > ReadLanes.perPersonLimit }
    gate.withLock { $0 = true }
    #expect(try await held.value == ReadLanes.niceness)
    #expect(try await other.value == "other")
    for task in waiting { _ = try await task.value }
    #expect(reads.underway == 0)
    #expect(getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0) == 0)
  }

  @Test func `streams: eight a person, some left to admins, and free again when they end`() throws {
    let seats = StreamSeats()
    var held: [StreamSeats.Seat] = []
    for _ in 0..<StreamSeats.perPersonLimit { held.append(try seats.take(someone(1))) }
    #expect(code { held.append(try seats.take(someone(1))) } == "tooManyStreams")
    var number = 2
    while let seat = try? seats.take(someone(number)) {
      held.append(seat)
      number += 1
    }
    #expect(held.count == StreamSeats.allLimit - StreamSeats.forAdminsLimit)
    held.append(try seats.take(someone(0, .admin)))
    held.removeAll()
    #expect(seats.count == 0)
    held.append(try seats.take(someone(1)))
  }

  @Test func `reads through the log: two a person, and one connection is left to admins`()
    async throws
  {
    let budget = ScanBudget()
    let gate = Gate()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in [1, 1, 2] {
        group.addTask { try await budget.scan(by: someone(number)) { await gate.passed() } }
      }
      try await eventually("three are under way") { budget.others == 3 }
      for refused in [1, 2, 3] {
        await #expect {
          try await budget.scan(by: someone(refused)) {}
        } throws: { ($0 as? APIError)?.failure.code == "tooManyScans" }
      }
      try await budget.scan(by: someone(0, .admin)) {}
      gate.open()
      try await group.waitForAll()
    }
    #expect(budget.others == 0)
    try await budget.scan(by: someone(1)) {}
  }

  @Test func `where the log ends is asked once for many, and never before they asked`() async throws
  {
    let asked = Mutex(0)
    let gate = Gate()
    let look = SharedLook {
      let number = asked.withLock { count in
        count += 1
        return count
      }
      await gate.passed()
      return Position(Int64(number))
    }
    let first = Task { try await look.head() }
    try await eventually("the first is under way") { asked.withLock { $0 } == 1 }
    let others = (0..<50).map { _ in Task { try await look.head() } }
    try await eventually("the others wait") { await look.waiting == 51 }
    gate.open()
    #expect(try await first.value == 1)
    for other in others { #expect(try await other.value == 2) }
    #expect(asked.withLock { $0 } == 2)
  }
}

/// Holds up whoever comes until it is open.
private final class Gate: Sendable {
  private struct State {
    var isOpen = false
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  func passed() async {
    await withCheckedContinuation { continuation in
      let isOpen = state.withLock { state in
        if !state.isOpen { state.waiting.append(continuation) }
        return state.isOpen
      }
      if isOpen { continuation.resume() }
    }
  }

  func open() {
    let waiting = state.withLock { state in
      state.isOpen = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }
}

/// The same, by requests over sockets.
@Suite(.database, .bounded) struct DoorTests {
  /// An API that listens.
  private final class Door: Sendable {
    let rig: APIRig
    let server: APIServer
    let port: Int
    private let task: Task<Void, any Error>

    init(streamStalledSeconds: Int = 120, connectionsLimit: Int = 64) async throws {
      rig = try await APIRig.leading(.current, connectionsLimit: connectionsLimit)
      var server = rig.server
      server.budgets.streamStalledSeconds = streamStalledSeconds
      self.server = server
      let found = Mutex<Int?>(nil)
      let application = server.application { port in found.withLock { $0 = port } }
      task = Task { try await application.run() }
      port = try await eventually("it listens") { found.withLock { $0 } }
    }

    func end() async {
      task.cancel()
      _ = try? await task.value
      await rig.stop()
    }

    func client(_ request: String, token: Secret? = APIRig.admin) throws -> RawClient {
      let client = try RawClient(port: port)
      send(request, token, by: client)
      return client
    }

    private func send(_ request: String, _ token: Secret?, by client: RawClient) {
      let authorization = token.map { "Authorization: Bearer \($0.text)\n" } ?? ""
      client.send(request.replacing("Host: x\n", with: "Host: x\n\(authorization)"))
    }

    /// Reads once more on a connection that is there.
    func reads(_ path: String, _ token: Secret?, by client: RawClient) async throws {
      func good() -> Int { client.received.ranges(of: "HTTP/1.1 20").count }
      let before = good()
      send("GET \(path) HTTP/1.1\nHost: x\n\n", token, by: client)
      try await eventually("\(path) is answered") {
        let isThere = good() > before
        try #require(isThere || !client.hasEnded, "it was ended: \(path)")
        return isThere
      }
    }
  }

  @Test func `a wrong token is refused before the body, and nothing more is read`() async throws {
    let door = try await Door()
    for (token, code) in [
      (nil, "noToken"), (Secret(text: "wharf-person-unknown"), "unknownToken"),
    ] as [(Secret?, String)] {
      // Of the mebibyte that is announced nothing comes.
      let client = try door.client(
        "POST /v1/commands HTTP/1.1\nHost: x\nContent-Length: 1048576\n\n", token: token)
      let answer = try await eventually("it is answered") {
        client.received.contains(code) ? client.received : nil
      }
      #expect(answer.hasPrefix("HTTP/1.1 401"))
      #expect(answer.lowercased().contains("connection: close"))
    }
    #expect(door.server.budgets.bodies.heldBytes == 0)
    await door.end()
  }

  @Test func `a body longer than announced limits is refused, and the budget comes back`()
    async throws
  {
    let door = try await Door()
    let long = try door.client(
      "POST /v1/commands HTTP/1.1\nHost: x\nContent-Length: 1048577\n\n")
    _ = try await eventually("it is answered") {
      long.received.contains("bodyTooLarge") ? true : nil
    }
    let half = try door.client(
      "POST /v1/commands HTTP/1.1\nHost: x\nContent-Length: 1000\n\n{\"id\":")
    _ = try await eventually("its part is held") {
      door.server.budgets.bodies.heldBytes > 0 ? true : nil
    }
    half.close()
    _ = try await eventually("nothing is held any more") {
      door.server.budgets.bodies.heldBytes == 0 ? true : nil
    }
    await door.end()
  }

  @Test func `a person's ninth stream is refused, and one that ended makes room`() async throws {
    let door = try await Door()
    let ada = try await door.rig.invite("ada", .viewer)
    let request = "GET /v1/events/stream HTTP/1.1\nHost: x\n\n"
    var streams: [RawClient] = []
    for _ in 0..<StreamSeats.perPersonLimit {
      let stream = try door.client(request, token: ada)
      _ = try await eventually("it begins") { stream.received.contains("200") ? true : nil }
      streams.append(stream)
    }
    let ninth = try door.client(request, token: ada)
    let answer = try await eventually("it is refused") {
      ninth.received.contains("tooManyStreams") ? ninth.received : nil
    }
    #expect(answer.hasPrefix("HTTP/1.1 429") && answer.lowercased().contains("retry-after"))
    let admins = try door.client(request)
    _ = try await eventually("an admin's begins") { admins.received.contains("200") ? true : nil }
    for stream in streams { stream.close() }
    try await eventually("they end with their clients") {
      door.server.budgets.seats.count == 1
    }
    await door.end()
  }

  @Test func `a read through the log ends with its client`() async throws {
    let door = try await Door()
    let ada = try await door.rig.invite("ada", .viewer)
    // A read of the log waits behind this for as long as it is held.
    var holder = try TestDatabase.current.connect()
    try holder.script("BEGIN; LOCK TABLE log.events IN ACCESS EXCLUSIVE MODE")
    let client = try door.client(
      "GET /v1/history/deployment/gone HTTP/1.1\nHost: x\n\n", token: ada)
    try await eventually("it is under way") { door.server.budgets.scans.others == 1 }
    client.close()
    try await eventually("it is given up") { door.server.budgets.scans.others == 0 }
    try holder.script("ROLLBACK")
    await door.end()
  }

  @Test func `when connections run short viewers make way as strangers do, and nobody else`()
    async throws
  {
    // Beyond half of these, strangers make way.
    let door = try await Door(connectionsLimit: 16)
    let state = door.rig.member.board.current.state
    let admin = try #require(
      state.principal(presenting: APIRig.admin.digest, now: state.recordedAt))
    let (agent, gateway, join) = (
      Secret(text: "wharf-node-n1"), Secret(text: "wharf-gateway-edge"),
      Secret(text: "wharf-join-1")
    )
    try await door.rig.submit(
      RegisterGateway(name: "edge", credential: gateway.digest), by: admin)
    let node = ID<Node>(
      try await door.rig.submit(IssueJoinToken(token: join.digest, validHours: 1), by: admin)
        .position)
    try await door.rig.submit(
      JoinNode(name: "n1", credential: agent.digest, facts: .devices(1)), by: .joining(node))
    let known = [
      ("/v1/whoami", APIRig.admin),
      ("/v1/whoami", try await door.rig.invite("olga", .operator)),
      ("/v1/agent/assignment?after=0&wait=0", agent),
      ("/v1/gateway/policy?address=here&incarnation=first", gateway),
    ]
    let clients = try known.map { _ in try RawClient(port: door.port) }
    func allRead() async throws {
      for ((path, token), client) in zip(known, clients) {
        try await door.reads(path, token, by: client)
      }
    }
    try await allRead()
    let (viewer, stranger) = (try RawClient(port: door.port), try RawClient(port: door.port))
    try await door.reads("/v1/whoami", try await door.rig.invite("eve", .viewer), by: viewer)
    try await door.reads("/health", nil, by: stranger)
    #expect(!viewer.hasEnded && !stranger.hasEnded, "there is room")
    let idle = try (0..<20).map { _ in try RawClient(port: door.port) }
    try await eventually("they made way") { viewer.hasEnded && stranger.hasEnded }
    #expect(idle.contains { !$0.hasEnded }, "those that are left may yet show a token")
    try await allRead()
    await door.end()
  }

  @Test func `a stream whose reader takes nothing is ended`() async throws {
    let door = try await Door(streamStalledSeconds: 1)
    var holder = try TestDatabase.current.connect()
    let stream = try door.client("GET /v1/events/stream?after=0 HTTP/1.1\nHost: x\n\n")
    _ = try await eventually("it begins") { stream.received.contains("200") ? true : nil }
    // More than the buffers of a connection hold, and nobody reads it.
    try holder.script(ChainSQL.grow(by: 60_000))
    try await eventually("it is ended") {
      door.server.budgets.seats.count == 0
    }
    await door.end()
  }
}
