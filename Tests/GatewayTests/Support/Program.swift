// Starts the project's own programs as real processes, and ends them.

import CLinux
import Glibc
import Synchronization
import TestTools
import Testing

/// Tests that start real processes run one after another.
@Suite(.serialized, .turn, .bounded) enum WithProcesses {}

final class Program: Sendable {
  let pid: pid_t
  private let output: Int32
  private let exitStatus = Mutex<Int32?>(nil)

  struct CannotStart: Error {
    let description: String
  }

  init(_ name: String, _ arguments: [String], environment: [String: String] = [:]) throws {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw CannotStart(description: "no pipe") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
    // Sockets of the gateway under test would stay open until this one ends.
    wharf_spawn_close_from(&actions, 3)
    defer { posix_spawn_file_actions_destroy(&actions) }
    let path = builtProgram(name)
    var argv = Self.strings([path] + arguments)
    var envp = Self.strings(environment.map { "\($0.key)=\($0.value)" })
    defer { for text in argv + envp { free(text) } }
    // Threads of the concurrency runtime block signals, and a child would inherit that.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var pid: pid_t = 0
    let code = posix_spawn(&pid, path, &actions, &attributes, &argv, &envp)
    close(ends[1])
    guard code == 0 else {
      close(ends[0])
      throw CannotStart(description: "cannot start \(path): \(String(cString: strerror(code)))")
    }
    self.pid = pid
    output = ends[0]
    _ = fcntl(output, F_SETFL, O_NONBLOCK)
  }

  private static func strings(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] {
    texts.map { strdup($0) } + [nil]
  }

  deinit {
    if exitStatus.withLock({ $0 }) == nil {
      kill(pid, SIGKILL)
      var status: Int32 = 0
      waitpid(pid, &status, 0)
    }
    close(output)
  }

  func signal(_ number: Int32) { kill(pid, number) }

  private let collected = Mutex("")

  /// Everything it has written so far.
  var written: String {
    collected.withLock { text in
      var buffer = [UInt8](repeating: 0, count: 65_536)
      while case let count = read(output, &buffer, buffer.count), count > 0 {
        text += String(decoding: buffer[..<count], as: UTF8.self)
      }
      return text
    }
  }

  /// How it ended: its exit code, or minus the signal.
  func ended(withinSeconds seconds: Double = Pace.patienceSeconds) async throws -> Int32 {
    try await eventually("the program \(pid) ends", withinSeconds: seconds) { self.reap() != nil }
    return reap()!
  }

  private func reap() -> Int32? {
    exitStatus.withLock { known in
      var status: Int32 = 0
      if known == nil, waitpid(pid, &status, WNOHANG) == pid {
        known = status & 0x7F == 0 ? status >> 8 & 0xFF : -(status & 0x7F)
      }
      return known
    }
  }

  /// The number after `text` in what it writes.
  func number(after text: String) async throws -> Int {
    func find() -> Int? {
      let written = written
      guard let found = written.firstRange(of: text) else { return nil }
      let rest = written[found.upperBound...]
      guard let end = rest.firstIndex(of: "\n") else { return nil }
      return Int(rest[..<end].prefix { $0.isNumber })
    }
    try await eventually("\(text) is written") { find() != nil }
    return find()!
  }
}

/// A file of the kernel's, which has no length and comes in pieces.
func wholeFile(_ path: String) throws -> String {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw Program.CannotStart(description: "cannot read \(path)") }
  defer { close(descriptor) }
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 65_536)
  while case let count = read(descriptor, &buffer, buffer.count), count > 0 {
    bytes += buffer[..<count]
  }
  return String(decoding: bytes, as: UTF8.self)
}

struct Late: Error, CustomStringConvertible {
  let description: String
}
