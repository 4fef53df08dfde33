// A folder of a test's own, and a mark by which every process that the test started is known.

import Foundation

package struct TestFailure: Error, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}

package final class TestFolder: Sendable {
  package let root: String
  /// Stands in the environment of whatever the test starts, and of what that starts in turn.
  package let mark = "WHARF_TEST_MARK=\(UUID().uuidString)"

  package init() throws {
    root = NSTemporaryDirectory() + "wharf-test-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: false)
  }

  package func path(_ name: String) -> String { root + "/" + name }

  package func text(_ name: String) -> String? {
    try? String(contentsOfFile: path(name), encoding: .utf8)
  }

  package func size(_ name: String) -> Int {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path(name))
    return (attributes?[.size] as? Int) ?? 0
  }

  /// What the test's processes are given, besides what they need.
  package func environment(_ more: [String: String] = [:]) -> [String: String] {
    let mark = mark.split(separator: "=")
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    return more.merging([String(mark[0]): String(mark[1]), "PATH": path]) { given, _ in given }
  }

  /// Pids of processes that bear the test's mark. An ended one that nobody reaped does not count.
  package func survivors() -> [pid_t] { processes { $0.contains(mark) } }

  deinit { try? FileManager.default.removeItem(atPath: root) }
}

private func processes(where matches: (String) -> Bool) -> [pid_t] {
  let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
  return names.compactMap { name in
    guard let pid = pid_t(name),
      let bytes = FileManager.default.contents(atPath: "/proc/\(name)/environ"),
      matches(String(decoding: bytes, as: UTF8.self))
    else { return nil }
    return pid
  }
}

/// The program `name` that was built beside the tests, or lies in the folder that `WHARF_TEST_PROGRAMS` names:
/// optimized ones, say.
package func builtProgram(_ name: String) -> String {
  if let folder = ProcessInfo.processInfo.environment["WHARF_TEST_PROGRAMS"], !folder.isEmpty {
    return URL(fileURLWithPath: folder).appendingPathComponent(name).path
  }
  let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
  return URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent(name).path
}

/// Whether another user may run what was built: SwiftPM makes its folder as the shell's mask says, and some
/// let nobody else enter it.
package var othersMayRunPrograms: Bool {
  var place = URL(fileURLWithPath: builtProgram("wharf"))
  while place.path != "/" {
    var status = stat()
    guard stat(place.path, &status) == 0, status.st_mode & S_IXOTH != 0 else { return false }
    place.deleteLastPathComponent()
  }
  return true
}

/// One field of /proc/PID/stat counted as its manual does; nil when there is no such process.
package func processField(_ number: Int, of pid: pid_t) -> String? {
  guard let bytes = FileManager.default.contents(atPath: "/proc/\(pid)/stat"),
    let bracket = bytes.lastIndex(of: UInt8(ascii: ")"))
  else { return nil }
  let fields = String(decoding: bytes[bytes.index(after: bracket)...], as: UTF8.self)
    .split(separator: " ")
  return fields.indices.contains(number - 3) ? String(fields[number - 3]) : nil
}
