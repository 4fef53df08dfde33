// The agent's own folder: who it is, and what it saw last. One agent at a time holds it.

import Glibc
import Hosting
import Wire

package struct DataFolder: Sendable {
  package let path: String

  /// Makes the folder if it is not there.
  package init(_ path: String) throws(FileProblem) {
    try Files.makeFolder(path)
    guard let real = realpath(path, nil) else {
      throw FileProblem(attempted: "find", path: path, code: errno)
    }
    defer { free(real) }
    self.path = String(cString: real)
    chmod(self.path, 0o700)
  }

  package var ledger: Ledger { Ledger(folder: path) }

  // MARK: - Who it is

  /// The secret that names this node; made once, on disk before anyone is told of it.
  package func credential() throws(FileProblem) -> Credential {
    let file = path + "/credential"
    if let bytes = try Files.read(file), bytes.count == Credential.bytes * 2 {
      return Credential(secret: String(decoding: bytes, as: UTF8.self))
    }
    var random = SystemRandomNumberGenerator()
    let secret = (0..<Credential.bytes).map { _ in UInt8.random(in: .min ... .max, using: &random) }
      .hexadecimal
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
      throw Malformed("\(file) is not what this agent wrote: \(error)")
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
  private let descriptor: Int32

  package struct Held: Error, CustomStringConvertible {
    package let description: String
  }

  package init(_ folder: DataFolder) throws {
    let path = folder.path + "/lock"
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw FileProblem(attempted: "open", path: path, code: errno) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let holder = String(decoding: Files.tail(path, bytes: 20), as: UTF8.self)
      throw Held(
        description:
          "the data folder \(folder.path) is in use by another agent (process \(holder)): "
          + "stop that one first, or give this one a folder of its own")
    }
    let text = Array(String(getpid()).utf8)
    ftruncate(descriptor, 0)
    pwrite(descriptor, text, text.count, 0)
  }

  deinit { close(descriptor) }
}
