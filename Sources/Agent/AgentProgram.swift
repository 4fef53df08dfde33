// The agent as a program: puts its parts together, in the order in which they may fail. The one
// thing it never does on its way out is end an engine.

import AsyncHTTPClient
import Dispatch
import Glibc
import Hosting
import Logging
import Machine
import NIOCore
import Time
import Wire

package struct AgentProgram: Sendable {
  package struct Options: Sendable {
    package var servers: [String]
    package var data: String
    package var name: Name
    package var joinTokenFile: String?
    /// None: engines run as the agent does.
    package var engineUser: EngineUser?
    package var address: String
    package var ports: ClosedRange<Int>
    package var devices: DeviceChoice
    package var cpuMillis: Int
    package var memoryBytes: Int64
    package var deviceLookSeconds = Self.usualDeviceLookSeconds

    package static let usualDeviceLookSeconds = 60

    package init(
      servers: [String], data: String, name: Name, joinTokenFile: String?, address: String,
      ports: ClosedRange<Int>, devices: DeviceChoice, cpuMillis: Int, memoryBytes: Int64
    ) {
      self.servers = servers
      self.data = data
      self.name = name
      self.joinTokenFile = joinTokenFile
      self.address = address
      self.ports = ports
      self.devices = devices
      self.cpuMillis = cpuMillis
      self.memoryBytes = memoryBytes
    }
  }

  /// What is not certain is looked at again this soon.
  private static let secondLookSeconds = 10
  private static let connectTimeoutSeconds: Int64 = 3

  package let options: Options
  package let clocks: Clocks
  package let log: Logger

  package init(_ options: Options, clocks: Clocks = .system, log: Logger) {
    self.options = options
    self.clocks = clocks
    self.log = log
  }

  /// The node was removed from its system; no engine of it runs any more.
  package struct NodeRemoved: Error, CustomStringConvertible {
    /// For whoever starts agents again: this one need not be.
    package static let exitCode: Int32 = 5
    package let name: Name
    package let stopped: Int

    package var description: String {
      "the node \(name) was removed from its system, so this agent ends"
        + (stopped == 0 ? "" : ", and \(stopped) engine\(stopped == 1 ? "" : "s") with it")
        + ". To add this machine again: wharf node join-token, and the token in --join-token-file"
    }
  }

  /// Runs until the task is cancelled; engines serve on after that. A removed node's do not: their
  /// devices may be given to others.
  package func run() async throws {
    let folder = try DataFolder(options.data)
    let lock = try DataLock(folder, clocks: clocks)
    defer { withExtendedLifetime(lock) {} }
    guard Port.isFree(0, at: options.address) == true else {
      throw Malformed(
        "engines cannot bind to \(options.address): --address names an address of this machine")
    }
    try await Self.withClient { client in
      var inventory = Inventory(known: options.devices.isLookedAt ? folder.devices() : [])
      let failure = look(&inventory, folder)
      let facts = NodeFacts(
        address: options.address, cpuMillis: options.cpuMillis,
        memory: Bytes(count: options.memoryBytes), devices: inventory.devices)
      let joining = Joining(
        folder: folder, client: client, servers: options.servers, name: options.name,
        clocks: clocks, log: log)
      let membership = try await joining.membership(facts: facts) {
        try joinToken(wasRemoved: folder.wasRemoved)
      }
      let agent = try Self.agent(
        membership.node, options.address, options.ports, facts, folder, client, clocks, log,
        options.engineUser)
      try await agent.adopt()
      if let failure { await agent.trouble(.deviceToolFailed, failure) }
      if !folder.exposed.isEmpty {
        await agent.trouble(
          .secretsReadable,
          "until this start others could read \(folder.exposed.joined(separator: ", ")); if somebody "
            + "may have, remove the node and join anew")
      }
      let link = ControlLink(
        client: client, servers: options.servers,
        bearer: try folder.credential(clocks.random).secret,
        clocks: clocks)
      let known = inventory
      log.info("serving", metadata: ["node": "\(membership.node)", "data": "\(folder.path)"])
      let ending = await withTaskGroup(of: NodeAgent.Ending.self) { group in
        group.addTask { await agent.run(link) }
        group.addTask {
          await lookAtDevices(agent, facts, known, folder)
          return .cancelled
        }
        var ending = NodeAgent.Ending.cancelled
        while ending == .cancelled, let next = await group.next() { ending = next }
        group.cancelAll()
        return ending
      }
      if ending == .removed { try await leave(agent, folder) }
    }
  }

  private func leave(_ agent: NodeAgent, _ folder: DataFolder) async throws {
    let stopped = await agent.stopEverything(because: "the node was removed from its system")
    await agent.close()
    try folder.forgetMembership()
    throw NodeRemoved(name: options.name, stopped: stopped.count)
  }

  private func joinToken(wasRemoved: Bool) throws -> String {
    guard let file = options.joinTokenFile else {
      throw Malformed(
        (wasRemoved ? "the node of this agent was removed" : "this agent has not joined yet")
          + ": make a token with 'wharf node join-token' and name its file with --join-token-file")
    }
    guard let text = try SecretFile.read(file) else {
      throw FileProblem(attempted: "read", path: file, code: ENOENT)
    }
    let token = text.filter { !$0.isWhitespace }
    guard !token.isEmpty else { throw Malformed("the join token file \(file) is empty") }
    return token
  }

  /// Devices come and go while an agent runs; simulated ones do not.
  private func lookAtDevices(
    _ agent: NodeAgent, _ first: NodeFacts, _ known: Inventory, _ folder: DataFolder
  ) async {
    guard options.devices.isLookedAt else { return }
    var inventory = known
    while true {
      let usual = options.deviceLookSeconds
      let pause = inventory.isUnsettled ? min(Self.secondLookSeconds, usual) : usual
      guard (try? await clocks.sleep(for: .seconds(pause))) != nil else { return }
      let before = inventory
      let looked = await Self.apart {
        var inventory = before
        let failure = look(&inventory, folder)
        return (inventory, failure)
      }
      inventory = looked.0
      var facts = first
      facts.devices = inventory.devices
      if let failure = looked.1 {
        await agent.trouble(.deviceToolFailed, failure)
      } else {
        await agent.troubleIsOver(.deviceToolFailed)
      }
      await agent.changed(facts: facts)
    }
  }

  /// - Returns: why the look said nothing that counts.
  private func look(_ inventory: inout Inventory, _ folder: DataFolder) -> String? {
    let before = inventory.devices
    var failure: String?
    switch options.devices.look(by: clocks) {
    case .devices(let devices):
      inventory.read(devices)
      if inventory.isFailing { failure = "it lists none of the devices that were known" }
    case .noTool:
      // A machine that never had such devices has no such tool either.
      if before.isEmpty { return nil }
      inventory.failed()
      failure = "there is no nvidia-smi any more"
    case .failed(let why):
      inventory.failed()
      failure = why
    }
    if options.devices.isLookedAt, inventory.devices != before {
      do { try folder.keep(inventory.devices) } catch {
        log.error("cannot keep which devices are known: \(error)")
      }
    }
    return failure
  }

  /// Off the threads that tasks share, for what may take long.
  private static func apart<Value: Sendable>(
    _ work: @escaping @Sendable () -> Value
  ) async -> Value {
    await withCheckedContinuation { done in
      DispatchQueue.global().async { done.resume(returning: work()) }
    }
  }

  // MARK: - Stopping what an agent left

  /// Ends every engine of a data folder that no agent holds, and returns when they are gone.
  package static func stopEngines(
    data: String, clocks: Clocks = .system, log: Logger
  ) async throws -> [AttemptID] {
    guard access(data, F_OK) == 0 else { return [] }
    let folder = try DataFolder(existing: data)
    let lock = try DataLock(folder, clocks: clocks)
    defer { withExtendedLifetime(lock) {} }
    return try await withClient { client in
      let facts = NodeFacts(
        address: "127.0.0.1", cpuMillis: 1, memory: Bytes(count: 1), devices: [])
      let nowhere = 1...1
      let agent = try agent(
        Stream(.node, .empty), "127.0.0.1", nowhere, facts, folder, client, clocks, log)
      try await agent.adopt()
      let stopped = await agent.stopEverything()
      await agent.close()
      return stopped
    }
  }

  // MARK: - Parts

  private static func agent(
    _ node: Stream, _ address: String, _ ports: ClosedRange<Int>, _ facts: NodeFacts,
    _ folder: DataFolder, _ client: HTTPClient, _ clocks: Clocks, _ log: Logger,
    _ engineUser: EngineUser? = nil
  ) throws -> NodeAgent {
    let bootID = try ProcessTable.bootID()
    let incarnation = String(clocks.random.next(), radix: 16)
    let host = try ProcessHost(
      holderProgram: (OwnProgram.folder ?? ".") + "/wharf-holder", bootID: bootID,
      engineUser: engineUser, data: folder.path, clocks: clocks, log: log)
    var base = MachineFacts.base
    if let engineUser { base.home = engineUser.home }
    return NodeAgent(
      NodeAgent.Configuration(
        node: node, address: address, ports: ports, bootID: bootID,
        incarnation: incarnation, base: base),
      facts: facts, folder: folder, host: host, client: client, clocks: clocks, log: log)
  }

  package static func withClient<Value>(
    _ body: (HTTPClient) async throws -> Value
  ) async throws -> Value {
    var configuration = HTTPClient.Configuration()
    configuration.redirectConfiguration = .disallow
    configuration.timeout.connect = .seconds(connectTimeoutSeconds)
    configuration.connectionPool.idleTimeout = .seconds(30)
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    do {
      let value = try await body(client)
      try await client.shutdown()
      return value
    } catch {
      try? await client.shutdown()
      throw error
    }
  }
}
