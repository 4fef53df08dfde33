// The engine's own record of when it held which devices. Tests judge the control plane by it, so it
// depends on nothing but this process: one JSON line an event, each a single write to a file opened
// for appending. `start` comes first of all, `stop` last of all; an engine that was killed or crashed
// leaves no `stop`, and its pid with its start time tells that it is gone.

import Foundation
import Glibc
import Hosting

struct EngineLog: Sendable {
  enum Event: String, Encodable {
    /// The process began: from here on it may hold its devices.
    case start
    /// It answers requests.
    case ready
    /// The first inference request was admitted.
    case serving
    /// It is about to exit and holds nothing any more.
    case stop
  }

  private struct Line: Encodable {
    var event: Event
    /// Since 1970.
    var timeMicroseconds: Int64
    var pid: Int32
    /// Clock ticks since boot, field 22 of /proc/PID/stat.
    var startTime: UInt64
    var devices: [String]
    var milli: Int
    var replica: String?
    var attempt: String?
    /// From here on known once the command line was read.
    var models: [String]?
    var deviceMemory: String?
    var port: Int?
    var exitCode: Int32?
    var requests: Int?
  }

  private let descriptor: Int32
  private let template: Line

  /// The file that `--engine-log` names, found without reading the rest of the line.
  static func path(in arguments: [String]) -> String? {
    let flag = "--engine-log"
    if let joined = arguments.last(where: { $0.hasPrefix(flag + "=") }) {
      return String(joined.dropFirst(flag.count + 1))
    }
    guard let index = arguments.firstIndex(of: flag), index + 1 < arguments.count else {
      return nil
    }
    return arguments[index + 1]
  }

  /// Without a path nothing is recorded.
  init(path: String?, identity: EngineIdentity) throws(StartError) {
    if let path {
      descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
      if descriptor < 0 {
        throw StartError(
          code: .write, "cannot open the engine log \(path): \(String(cString: strerror(errno)))")
      }
    } else {
      descriptor = -1
    }
    template = Line(
      event: .start, timeMicroseconds: 0, pid: getpid(), startTime: ownStartTime(),
      devices: identity.devices, milli: identity.milli, replica: identity.replica,
      attempt: identity.attempt)
  }

  /// Appends one line. Throws when it cannot be written whole: an engine that holds devices
  /// unrecorded would make the log lie.
  func record(
    _ event: Event, serving: ServingOptions? = nil, port: Int? = nil, exitCode: Int32? = nil,
    requests: Int? = nil
  ) throws(StartError) {
    guard descriptor >= 0 else { return }
    var line = template
    line.event = event
    line.timeMicroseconds = microsecondsSince1970()
    line.models = serving?.modelNames
    line.deviceMemory = serving?.deviceMemory?.description
    line.port = port
    line.exitCode = exitCode
    line.requests = requests
    let bytes = encodeJSON(line, keys: .useDefaultKeys) + [UInt8(ascii: "\n")]
    let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    guard written == bytes.count else {
      throw StartError(
        code: .write,
        "cannot write '\(event)' to the engine log: \(String(cString: strerror(errno)))")
    }
  }
}

// MARK: Told to stop before anything hears it

extension EngineLog {
  /// Records the start. From then on SIGTERM ends the process with a `stop` on record, until the services that
  /// stop in order listen for it: they block the signal. Without this a process told to stop in its first
  /// milliseconds would leave none, as one that may still hold its devices.
  func begin() throws(StartError) {
    recordStopOnTermination()
    try record(.start)
    LastLine.begin()
  }

  private func recordStopOnTermination() {
    guard descriptor >= 0 else { return }
    var line = template
    line.event = .stop
    line.exitCode = 0
    line.timeMicroseconds = LastLine.timeToCome
    LastLine.keep(encodeJSON(line, keys: .useDefaultKeys) + [UInt8(ascii: "\n")], for: descriptor)
    signal(SIGTERM) { _ in LastLine.end() }
  }
}

func microsecondsSince1970() -> Int64 {
  Int64(Date().timeIntervalSince1970 * 1_000_000)
}

/// The name (field 2) may hold blanks and brackets: counting starts behind its last bracket.
private func ownStartTime() -> UInt64 {
  guard let bytes = FileManager.default.contents(atPath: "/proc/self/stat"),
    let bracket = bytes.lastIndex(of: UInt8(ascii: ")"))
  else { return 0 }
  let fields = String(decoding: bytes[bytes.index(after: bracket)...], as: UTF8.self)
    .split(separator: " ")
  return fields.count > 19 ? UInt64(fields[19]) ?? 0 : 0
}
