// Which API is spoken to, and as whom: flags, then the environment, then the credentials file, then
// the `wharf up` that runs here.

import ArgumentParser
import Hosting
import Up
import Wire

struct ConnectionOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Address of the API; WHARF_API when absent.", valueName: "url"))
  var api: String?

  @Option(
    help: ArgumentHelp("Instead: the data folder of a 'wharf up' here.", valueName: "folder"))
  var data: String?

  @Option(help: ArgumentHelp("Token to present; WHARF_TOKEN when absent.", valueName: "token"))
  var token: String?

  func connection(_ around: Surroundings = .process) throws(Failure) -> Connection {
    let credentials = try Credentials.load(around)
    let named = try system()
    let running = named.map { [$0] } ?? UpFile.running(around.environment)
    var place = named?.api ?? self.api ?? around["WHARF_API"] ?? credentials.api
    if place == nil { place = try Self.only(running)?.api }
    let api = try Connection.normal(place ?? Connection.standardAPI)
    let local = named ?? running.first { (try? Connection.normal($0.api)) == api }
    var token = self.token ?? around["WHARF_TOKEN"]
    if token == nil, named == nil { token = credentials.token(for: api) }
    if token == nil { token = try Self.token(of: local) }
    if token == nil { token = credentials.token(for: api) }
    guard token?.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) != false else {
      throw Failure(.usage, "the token holds characters that no token has", help: "wharf login")
    }
    return Connection(api: api, token: token)
  }

  func validate() throws {
    if api != nil, data != nil {
      throw ValidationError("--api and --data each name a system: choose one")
    }
  }

  private static func token(of system: UpFile?) throws(Failure) -> String? {
    do { return try system?.token() } catch {
      throw Failure(.refused, error.message, help: error.help ?? "name the system: --data FOLDER")
    }
  }

  /// The one that --data names.
  private func system() throws(Failure) -> UpFile? {
    guard let data else { return nil }
    guard !data.isEmpty, let system = UpFile(data: data) else {
      throw Failure(
        .usage, "there is no system in '\(data.shortened(to: 200))'",
        help: "name the folder that 'wharf up' was given")
    }
    guard system.isRunning else {
      throw Failure(
        .unreachable, "the system in \(system.data) does not run",
        help: "wharf up --data \(Shell.quoted(system.data)) --detach")
    }
    return system
  }

  private static func only(_ running: [UpFile]) throws(Failure) -> UpFile? {
    guard running.count < 2 else {
      throw Failure(
        .usage, UpFile.ambiguity(running),
        help: "choose one: --data FOLDER, or --api URL, or WHARF_API")
    }
    return running.first
  }
}

struct Connection: Equatable, Sendable {
  static let standardAPI = "http://127.0.0.1:7400"

  /// Without a slash at its end.
  let api: String
  let token: String?

  /// `127.0.0.1:7400` is an address too.
  static func normal(_ api: String) throws(Failure) -> String {
    do { return literal(try ServerAddress(api).text) } catch {
      throw Failure(
        .usage, "'\(api.shortened(to: 80))' is no address of an API",
        help: "write it as \(standardAPI)")
    }
  }

  /// The same without its path; none, where it has none.
  static func withoutPath(_ api: String) -> String? {
    guard let sign = api.firstRange(of: "://"),
      let slash = api[sign.upperBound...].firstIndex(of: "/")
    else { return nil }
    return String(api[..<slash])
  }

  /// Schemes and hosts have no case. And `localhost` is this machine, at the address that wharfd listens on
  /// here: what somebody else may have put on another address of that name is not asked, nor shown a token.
  private static func literal(_ address: String) -> String {
    let parts = address.split(separator: "://", maxSplits: 1).map(String.init)
    guard parts.count == 2 else { return address }
    let authority = parts[1].prefix { $0 != "/" }
    var host = authority.lowercased()
    let scheme = parts[0].lowercased()
    if scheme == "http", host == "localhost" || host.hasPrefix("localhost:") {
      host = "127.0.0.1" + host.dropFirst("localhost".count)
    }
    return "\(scheme)://\(host)\(parts[1].dropFirst(authority.count))"
  }
}
