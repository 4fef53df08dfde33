// What stands beside every figure: the machine, its disk, the database, the time, the size of the run.
// Without it no figure can be compared with another.

import Glibc
import Hosting
import Machine

package struct Circumstances: Sendable {
  package let date: Timestamp
  package let processor: String
  package let cores: Int
  package let memoryGigabytes: Double?
  package let kernel: String
  /// Of one minute before the run: what else the machine does.
  package let load: Double?
  /// Of this program: an unoptimized one measures itself.
  package let isOptimized: Bool
  /// Of a private cluster's files.
  package let fileSystem: String?
  /// The server's own settings that a figure rests on, in its own words.
  package let postgres: [(name: String, value: String)]
  package let fsyncTest: [String]
  package let secondsPerArm: Double
  package let events: Int
  package let passes: Int
  /// What else is measured, with its version.
  package var peers: [(name: String, version: String)] = []

  package init(_ settings: LogBench.Settings, on cluster: Cluster) throws {
    var names = utsname()
    uname(&names)
    date = .wall
    processor = Self.field("model name", in: "/proc/cpuinfo") ?? "unknown processor"
    cores = sysconf(Int32(_SC_NPROCESSORS_ONLN))
    memoryGigabytes = Self.field("MemTotal", in: "/proc/meminfo")
      .flatMap { Double($0.prefix { $0 != " " }) }.map { $0 * 1_024 / 1e9 }
    kernel = "\(Self.text(names.sysname)) \(Self.text(names.release)) \(Self.text(names.machine))"
    load = Files.text("/proc/loadavg")?.split(separator: " ").first.flatMap { Double($0) }
    #if DEBUG
      isOptimized = false
    #else
      isOptimized = true
    #endif
    fileSystem = cluster.folder.flatMap(Self.fileSystem)
    postgres = try cluster.settings()
    fsyncTest = try cluster.fsyncTest()
    secondsPerArm = settings.seconds
    events = settings.events
    passes = 2 * settings.rounds
  }

  /// The first of a file's lines `name: value`.
  private static func field(_ name: String, in file: String) -> String? {
    for line in (Files.text(file) ?? "").split(separator: "\n") where line.hasPrefix(name) {
      return line.split(separator: ":", maxSplits: 1).last?.drop { $0 == " " }.description
    }
    return nil
  }

  private static func text<Characters>(_ characters: Characters) -> String {
    withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }

  /// The type of the file system whose mount point is nearest above a folder.
  private static func fileSystem(of folder: String) -> String? {
    var (nearest, type): (Substring, String?) = ("", nil)
    for line in (Files.text("/proc/self/mounts") ?? "").split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count > 2 else { continue }
      let isAbove = fields[1] == "/" || folder.hasPrefix("\(fields[1])/")
      if isAbove, fields[1].count >= nearest.count { (nearest, type) = (fields[1], "\(fields[2])") }
    }
    return type
  }
}

// MARK: Texts

extension Circumstances {
  package var lines: [String] {
    let settings = postgres.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
    let memory = memoryGigabytes.map { ", \(Int($0.rounded())) GB" } ?? ""
    return [
      "\(date)",
      "\(processor), \(cores) cores\(memory), \(kernel), load \(load.map { "\($0)" } ?? "unknown")",
      "PostgreSQL: \(settings)" + (fileSystem.map { "; its files on \($0)" } ?? ""),
    ] + fsyncTest + [
      "\(passes) passes of \(secondsPerArm) s an arm, a log of \(events) events, "
        + (isOptimized ? "release build" : "DEBUG BUILD: its figures are not those of a release")
    ]
  }

  func write(to writer: inout JSONWriter) {
    func field(_ key: String, _ value: String?) {
      writer.key(key)
      if let value { writer.string(value) } else { writer.null() }
    }
    func field(_ key: String, _ value: Double?) {
      writer.key(key)
      if let value { writer.number(value.rounded(toPlaces: 3)) } else { writer.null() }
    }
    func field(_ key: String, _ value: Int) {
      writer.key(key)
      writer.integer(Int64(value))
    }
    func fields(_ key: String, _ values: [(String, String)]) {
      writer.key(key)
      writer.openObject()
      for (key, value) in values { field(key, value) }
      writer.closeObject()
    }
    writer.openObject()
    field("date", date.description)
    field("processor", processor)
    field("cores", cores)
    field("memoryGigabytes", memoryGigabytes)
    field("kernel", kernel)
    field("load", load)
    field("build", isOptimized ? "release" : "debug")
    field("fileSystem", fileSystem)
    fields("postgres", postgres.map { ($0.name, $0.value) })
    writer.key("fsyncTest")
    writer.openList()
    for line in fsyncTest { writer.string(line) }
    writer.closeList()
    field("secondsPerArm", secondsPerArm)
    field("events", events)
    field("passes", passes)
    fields("peers", peers.map { ($0.name, $0.version) })
    writer.closeObject()
  }
}
