// The agent's own folder: who it is, and what it saw last. One agent at a time holds it.

import Glibc
import Hosting
import Machine
import Time
import Wire

package struct DataFolder: Sendable {
  package let path: String
  /// Files with secrets that others could read until now.
  package let exposed: [String]

  /// What is in a folder is not an agent's: closing it to others, as an agent does, could hurt them.
  package struct Foreign: Error, CustomStringConvertible {
    package let description: String
  }

  /// Something of it is in every folder that an agent has been in.
  private static let ownNames: Set<String> = [
    "lock", "credential", "node.json", "join.json", "assignment.json", "seen.json", "devices.json",
    "weights.json", "attempts", "ended", "removed",
  ]
  /// In every file system that was made anew.
  private static let othersNames: Set<String> = ["lost+found"]

  /// One that an agent has been in.
  package init(existing path: String) throws {
    guard try !Files.list(path).allSatisfy(Self.othersNames.contains) else {
      throw Foreign(description: "there is no agent's folder at \(path)")
    }
    try self.init(path)
  }

  /// Makes the folder if it is not there. What others could read in it they can read no more.
  package init(_ path: String) throws {
    let names = Set(try Files.list(path)).subtracting(Self.othersNames)
    guard names.isEmpty || !names.isDisjoint(with: Self.ownNames) else {
      throw Foreign(
        description:
          "\(path) is no agent's folder: it holds \(names.min() ?? "something"), and nothing of an "
          + "agent; name one that is empty or not there")
    }
    try Files.makeFolder(path)
    guard let real = Files.realPath(path) else {
      throw FileProblem(attempted: "find", path: path)
    }
    self.path = real
    exposed = Self.exposedSecrets(self.path)
    for file in exposed { chmod(file, 0o600) }
    // Engines that run as another user pass it on the way to where they work.
    chmod(self.path, access(ledger.workFolders, F_OK) == 0 ? 0o711 : 0o700)
  }

  /// A file is closed to others where it is itself, or where they cannot enter its folder.
  private static func exposedSecrets(_ folder: String) -> [String] {
    func isOpen(_ path: String, _ bits: mode_t) -> Bool {
      var status = stat()
      return stat(path, &status) == 0 && status.st_mode & bits != 0
    }
    guard isOpen(folder, 0o011) else { return [] }
    let attempts = folder + "/attempts"
    let plans = ((try? Files.list(attempts)) ?? [])
      .filter { isOpen("\(attempts)/\($0)", 0o011) && isOpen(attempts, 0o011) }
      .map { "\(attempts)/\($0)/plan.json" }
    return ([folder + "/credential", folder + "/assignment.json"] + plans)
      .filter { isOpen($0, 0o044) }
  }

  package var ledger: Ledger { Ledger(folder: path) }

  // MARK: - Who it is

  /// The secret that names this node; made once, on disk before anyone is told of it.
  package func credential(
    _ random: Clocks.Random = Clocks.system.random
  ) throws(FileProblem) -> Credential {
    let file = path + "/credential"
    if let bytes = try Files.read(file), bytes.count == Credential.bytes * 2 {
      return Credential(secret: String(decoding: bytes, as: UTF8.self))
    }
    let secret = random.bytes(Credential.bytes).hexadecimal
    try Files.write(Array(secret.utf8), to: file)
    return Credential(secret: secret)
  }

  /// What the control plane calls this node, once it joined.
  package struct Membership: JSONRecord, Equatable, Sendable {
    package var node: Stream
    package var name: Name
  }

  package func membership() throws -> Membership? {
    let file = path + "/node.json"
    guard let bytes = try Files.read(file) else { return nil }
    do { return try Membership(lenientJSON: bytes) } catch {
      throw Malformed(
        "\(file) is not what this agent wrote: \(error). Put back what it was, "
          + #"{"node":"node/N","name":"NAME"}, with the id that 'wharf node show NAME' tells; or have "#
          + "the node removed ('wharf node remove NAME'), and join anew in another data folder")
    }
  }

  package func keep(_ membership: Membership) throws(FileProblem) {
    try Files.write(membership.jsonBytes, to: path + "/node.json")
    unlink(removedMark)
  }

  private var removedMark: String { path + "/removed" }

  /// No node now, and it was one that was removed.
  package var wasRemoved: Bool { access(removedMark, F_OK) == 0 }

  /// A join under way: asked again with the very same command, whatever became of the first.
  package func pendingJoin() -> JoinRequest? {
    (try? Files.read(path + "/join.json")).flatMap { $0 }.flatMap {
      try? JoinRequest(lenientJSON: $0)
    }
  }

  package func keep(_ join: JoinRequest) throws(FileProblem) {
    try Files.write(join.jsonBytes, to: path + "/join.json")
  }

  package func endJoin() { unlink(path + "/join.json") }

  // MARK: - What it saw

  package func assignment() throws -> Assignment? {
    try Files.read(path + "/assignment.json").map { bytes throws in
      try Assignment(lenientJSON: bytes)
    }
  }

  package func keep(_ assignment: Assignment) throws(FileProblem) {
    try Files.write(assignment.jsonBytes, to: path + "/assignment.json")
  }

  package struct Seen: JSONRecord, Equatable, Sendable {
    package var head: HeadWitness?
    package var sealed: SealedHead?
    package var bootID: String
    /// Nanoseconds since that boot.
    package var leaseUntil: Int64?
    /// The agent that saw it; none while it only joined. It says to `wharf up` who was answered.
    package var pid: Int?
  }

  package func seen() -> Seen? {
    (try? Files.read(path + "/seen.json")).flatMap { $0 }.flatMap { try? Seen(lenientJSON: $0) }
  }

  /// Often, and not worth a wait for the disk each time: what may never be lost of it stands in the
  /// assignment too.
  package func keep(_ seen: Seen) throws(FileProblem) {
    try Files.write(seen.jsonBytes, to: path + "/seen.json", durably: false)
  }

  /// What an agent sees, for people at its machine. Of no use to a program.
  package struct Status: JSONRecord, Equatable, Sendable {
    package var pid: Int
    package var node: Stream
    /// Of them that have not ended.
    package var engines: Int
    /// Why the control plane's last answer was none; nothing when it was one.
    package var refusal: String?
    /// Why the control plane's log is not believed; nothing when it is.
    package var alarm: String?
    package var troubles: [String]
  }

  package func status() -> Status? {
    (try? Files.read(path + "/status.json")).flatMap { $0 }.flatMap {
      try? Status(lenientJSON: $0)
    }
  }

  package func keep(_ status: Status) throws(FileProblem) {
    try Files.write(status.jsonBytes, to: path + "/status.json", durably: false)
  }

  // MARK: - What it knows of the machine

  package struct Devices: JSONRecord, Equatable, Sendable {
    package var devices: [DeviceFacts]
  }

  /// The devices known last; none where no agent of this folder has seen one.
  package func devices() -> [DeviceFacts] {
    (try? Files.read(path + "/devices.json")).flatMap { $0 }
      .flatMap { try? Devices(lenientJSON: $0) }?.devices ?? []
  }

  package func keep(_ devices: [DeviceFacts]) throws(FileProblem) {
    try Files.write(Devices(devices: devices).jsonBytes, to: path + "/devices.json")
  }

  package func weightsMemory() -> WeightsMemory {
    (try? Files.read(path + "/weights.json")).flatMap { $0 }
      .flatMap { try? WeightsMemory(lenientJSON: $0) } ?? WeightsMemory()
  }

  package func keep(_ memory: WeightsMemory) throws(FileProblem) {
    try Files.write(memory.jsonBytes, to: path + "/weights.json")
  }

  /// Writes as a start does: a folder, and a file in it that is on disk when this returns.
  package func tryToWrite() throws(FileProblem) {
    let trial = ledger.attemptsFolder + "/trial"
    try Files.makeFolder(trial)
    try Files.write([UInt8](repeating: 0, count: 4096), to: trial + "/plan.json")
    try Files.remove(trial)
  }

  /// The node was removed: the next agent joins anew. In an order in which a crash leaves either a
  /// node that finds out again, or none.
  package func forgetMembership() throws(FileProblem) {
    try Files.write([], to: removedMark)
    for name in ["assignment.json", "node.json", "seen.json", "join.json", "credential"] {
      try Files.remove("\(path)/\(name)")
    }
  }

  /// Lets the agent be steered by a log other than the one it saw.
  package func forgetWhatWasSeen() throws(FileProblem) {
    try Files.remove(path + "/seen.json")
    try Files.remove(path + "/assignment.json")
  }
}

/// A node's secret. It shows itself only in the header it is sent in.
package struct Credential: Sendable, CustomStringConvertible {
  package static let bytes = 32
  package let secret: String
  package init(secret: String) { self.secret = secret }
  package var description: String { "credential" }
  package var digest: Digest { .sha256(Array(secret.utf8)) }
}

/// Held by one process at a time, and let go by its death.
package final class DataLock: Sendable {
  private let file: LockFile

  /// An agent that was killed while it started an engine leaves the lock with that process until it has become
  /// the engine's holder, which is as well: before that nobody would find it. It takes a moment.
  package static let patienceMilliseconds = 3_000
  private static let lookMilliseconds = 20

  package struct Held: Error, CustomStringConvertible {
    package let description: String
  }

  /// - Parameter whileHeld: called after each look that found it held.
  package init(
    _ folder: DataFolder, patienceMilliseconds: Int = patienceMilliseconds,
    clocks: Clocks = .system, whileHeld: () -> Void = {}
  ) throws {
    file = try LockFile(folder.path + "/lock")
    guard Self.isTaken(file, patienceMilliseconds, clocks, whileHeld) else {
      throw Held(
        description:
          "the data folder \(folder.path) is in use by another agent (process \(file.text)): "
          + "stop that one first, or give this one a folder of its own")
    }
    // It says whom to stop, and the lock holds without it.
    try? file.write("\(getpid())")
  }

  private static func isTaken(
    _ file: LockFile, _ patienceMilliseconds: Int, _ clocks: Clocks, _ whileHeld: () -> Void
  ) -> Bool {
    for _ in 0..<(patienceMilliseconds / lookMilliseconds) {
      if file.take() { return true }
      whileHeld()
      clocks.block(for: .milliseconds(lookMilliseconds))
    }
    return false
  }
}
