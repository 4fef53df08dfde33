// What /proc says of processes. A pid alone names nobody: it is reused. With its start time it
// names one process of this boot, and a pidfd keeps it so.

import CLinux
import Glibc

package struct ProcessIdentity: Hashable, Sendable {
  package let pid: Int32
  /// Clock ticks since boot.
  package let startTime: UInt64

  package init(pid: Int32, startTime: UInt64) {
    self.pid = pid
    self.startTime = startTime
  }

  /// The process that has this pid now; none when it is gone or a zombie.
  package init?(running pid: Int32) {
    guard let status = ProcessTable.status(of: pid), !status.isZombie else { return nil }
    self = status.identity
  }
}

package enum ProcessTable {
  package static func bootID() throws(FileProblem) -> String {
    let path = "/proc/sys/kernel/random/boot_id"
    guard let bytes = try Files.read(path) else {
      throw FileProblem(attempted: "read", path: path, code: ENOENT)
    }
    return String(decoding: bytes.filter { $0 > 0x20 }, as: UTF8.self)
  }

  package struct Status: Equatable, Sendable {
    package var identity: ProcessIdentity
    package var name: String
    package var isZombie: Bool
    package var group: Int32
    package var session: Int32
  }

  package static func status(of pid: Int32) -> Status? {
    guard let bytes = try? Files.read("/proc/\(pid)/stat"),
      let open = bytes.firstIndex(of: UInt8(ascii: "(")),
      // The name may itself hold parentheses and blanks; its end is the last one.
      let end = bytes.lastIndex(of: UInt8(ascii: ")")), open < end
    else { return nil }
    let fields = bytes[(end + 1)...].split(separator: UInt8(ascii: " "))
    // From the third field on: state, parent, group, session … start time is the 22nd.
    guard fields.count > 19, let group = Int32(ascii: fields[2]),
      let session = Int32(ascii: fields[3]), let startTime = UInt64(ascii: fields[19])
    else { return nil }
    return Status(
      identity: ProcessIdentity(pid: pid, startTime: startTime),
      name: String(decoding: bytes[(open + 1)..<end], as: UTF8.self),
      isZombie: fields[0].first == UInt8(ascii: "Z") || fields[0].first == UInt8(ascii: "X"),
      group: group, session: session)
  }

  package static var pids: [Int32] { Files.names(in: "/proc").compactMap { Int32($0) } }

  /// One variable of a process's first environment; none when it may not be read.
  package static func variable(_ name: String, of pid: Int32) -> String? {
    guard let bytes = try? Files.read("/proc/\(pid)/environ") else { return nil }
    let prefix = Array((name + "=").utf8)
    let line = bytes.split(separator: 0).first { $0.starts(with: prefix) }
    return line.map { String(decoding: $0.dropFirst(prefix.count), as: UTF8.self) }
  }

  package static func workingFolder(of pid: Int32) -> String? {
    Files.target(of: "/proc/\(pid)/cwd")
  }

  /// What a process has open, as the kernel names it: `socket:[4711]`, a path.
  package static func openFiles(of pid: Int32) -> [String] {
    let folder = "/proc/\(pid)/fd"
    return Files.names(in: folder).compactMap { Files.target(of: "\(folder)/\($0)") }
  }
}

extension FixedWidthInteger {
  fileprivate init?(ascii digits: ArraySlice<UInt8>) {
    self.init(String(decoding: digits, as: UTF8.self))
  }
}

/// A process held on to: signals reach it or nobody.
package final class ProcessHandle: Sendable {
  package let identity: ProcessIdentity
  package let descriptor: Int32

  /// - Returns: nil when that process is gone, whoever has its pid now.
  package init?(_ identity: ProcessIdentity) {
    let descriptor = wharf_pidfd_open(identity.pid, 0)
    guard descriptor >= 0 else { return nil }
    // Looked at after the descriptor was had: from here on the pid cannot change hands unnoticed.
    guard ProcessTable.status(of: identity.pid)?.identity == identity else {
      close(descriptor)
      return nil
    }
    self.identity = identity
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  @discardableResult
  package func signal(_ number: Int32) -> Bool {
    wharf_pidfd_send_signal(descriptor, number) == 0
  }

  package var hasEnded: Bool {
    var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return Glibc.poll(&poll, 1, 0) > 0
  }

  package enum Exit: Equatable, Sendable {
    case code(Int)
    case signal(Int)

    /// - Parameter status: as waitpid(2) gives it.
    package init(waitStatus status: Int32) {
      let signal = status & 0x7F
      self = signal == 0 ? .code(Int(status >> 8 & 0xFF)) : .signal(Int(signal))
    }

    /// As a shell tells it: 128 and the signal, where one ended it.
    package var shellCode: Int32 {
      switch self {
      case .code(let code): Int32(code)
      case .signal(let signal): 128 + Int32(signal)
      }
    }
  }

  /// Takes the exit status, if this is an ended child of ours.
  package func reap() -> Exit? {
    var code: Int32 = -1
    var signal: Int32 = -1
    guard wharf_pidfd_wait(descriptor, 0, &code, &signal) == 1 else { return nil }
    return code >= 0 ? .code(Int(code)) : .signal(Int(signal))
  }
}
