// Where the systems that were brought up are found: a record for each data folder, below
// `$XDG_STATE_HOME/wharf/systems/`, which is `~/.local/state/wharf/systems/` when that is not set. Not
// in the runtime folder: su and cron have none. A record holds no secret, only where the token is.

import Glibc
import Hosting
import Machine
import Wire

package struct UpFile: JSONRecord, Hashable, Sendable {
  package var api: String
  /// None when the system has no gateway.
  package var gateway: String?
  package var tokenFile: String
  package var data: String

  init(_ layout: Layout, _ settings: SystemSettings) {
    api = settings.apiURL
    gateway = settings.gateway ? settings.gatewayURL : nil
    tokenFile = layout.adminToken
    data = layout.data
  }

  /// The system in a folder, by what is in that folder alone; none where there is none.
  package init?(data: String) {
    let layout = Layout.named(data)
    guard let settings = try? SystemSettings.read(layout) else { return nil }
    // Ports of a system that runs may be others than those it was last asked to have.
    self.init(layout, SystemStatus.read(layout)?.settings ?? settings)
  }

  /// The systems that run, of those this user brought up.
  package static func running(_ environment: [String: String] = Environment.own) -> [UpFile] {
    records(environment).map(\.file).filter(\.isRunning)
  }

  /// Whether any program of it runs. What a record says outlives a crash and a reboot.
  package var isRunning: Bool {
    let layout = Layout(real: data)
    return SupervisorLock.holder(layout)?.role == .up || !Shutdown.running(layout).isEmpty
  }

  /// The first admin's token.
  package func token() throws(UpFailure) -> String? { try SecretFiles.read(tokenFile)?.text }

  /// Several run, and none was named.
  package static func ambiguity(_ systems: [UpFile]) -> String {
    "\(systems.count) systems run here, and none was named: "
      + systems.map { "\($0.data) (\($0.api))" }.joined(separator: ", ")
  }

  // MARK: - Records

  private static func folder(_ environment: [String: String]) -> String? {
    let state =
      environment["XDG_STATE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
      ?? Environment.home(environment).map { "\($0)/.local/state" }
    return state.map { "\($0)/wharf/systems" }
  }

  private static func records(
    _ environment: [String: String]
  ) -> [(path: String, file: UpFile)] {
    guard let folder = folder(environment) else { return [] }
    return Files.names(in: folder).filter { $0.hasSuffix(".json") }.compactMap { name in
      let path = "\(folder)/\(name)"
      return read(path).map { (path, $0) }
    }
  }

  private static func read(_ path: String) -> UpFile? {
    guard let bytes = Files.content(of: path), let value = try? JSONValue(document: bytes) else {
      return nil
    }
    return try? JSONDecoding.read(UpFile.self, from: value, strict: false)
  }

  /// Records this system, and drops what a crash left of others.
  func write(_ environment: [String: String] = Environment.own) throws(UpFailure) {
    guard let folder = Self.folder(environment) else { return }
    try Files.prepareFolder(folder)
    for (path, file) in Self.records(environment) where !file.isRunning { unlink(path) }
    try Files.replace("\(folder)/\(Layout(real: data).mark).json", jsonBytes)
  }

  /// Removes what leads to this system, and nothing that leads to another.
  static func remove(_ layout: Layout) {
    for (path, file) in records(Environment.own) where file.data == layout.data { unlink(path) }
  }
}

extension SystemSettings {
  package var apiURL: String { "http://\(Ports.address):\(apiPort)" }
  package var gatewayURL: String { "http://\(Ports.address):\(gatewayPort)" }
}
