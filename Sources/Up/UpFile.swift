// Where the CLI finds the system that was last brought up: `$XDG_RUNTIME_DIR/wharf/up.json`, or
// `~/.local/state/wharf/up.json`. The file holds no secret, only where the token is.

import Glibc
import Hosting

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

  /// The places to look at, the best first.
  package static func places(_ environment: [String: String] = Environment.own) -> [String] {
    var places: [String] = []
    if let runtime = environment["XDG_RUNTIME_DIR"], runtime.hasPrefix("/"), Files.isFolder(runtime)
    {
      places.append("\(runtime)/wharf/up.json")
    }
    if let home = Environment.home(environment) {
      places.append("\(home)/.local/state/wharf/up.json")
    }
    return places
  }

  /// The system that was last brought up, if any.
  package static func current(_ environment: [String: String] = Environment.own) -> UpFile? {
    places(environment).lazy.compactMap(read).first
  }

  private static func read(_ path: String) -> UpFile? {
    guard let bytes = Files.read(path), let value = try? JSONValue(document: bytes) else {
      return nil
    }
    return try? JSONDecoding.read(UpFile.self, from: value, strict: false)
  }

  /// The last `up` wins.
  func write() throws(UpFailure) {
    guard let place = Self.places().first, let slash = place.lastIndex(of: "/") else { return }
    try Files.makeFolder(String(place[..<slash]))
    try Files.replace(place, jsonBytes)
  }

  /// Removes what leads to this system, and nothing that leads to another.
  static func remove(_ layout: Layout) {
    for place in places() where read(place)?.data == layout.data { unlink(place) }
  }
}

extension SystemSettings {
  package var apiURL: String { "http://\(Ports.address):\(apiPort)" }
  package var gatewayURL: String { "http://\(Ports.address):\(gatewayPort)" }
}
