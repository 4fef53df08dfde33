// Which API is spoken to, and as whom: flags, then the environment, then the credentials file, then
// a `wharf up` that runs here.

import ArgumentParser
import Hosting

struct ConnectionOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Address of the API; WHARF_API when absent.", valueName: "url"))
  var api: String?

  @Option(help: ArgumentHelp("Token to present; WHARF_TOKEN when absent.", valueName: "token"))
  var token: String?

  func connection(_ around: Surroundings = .process) throws(Failure) -> Connection {
    let credentials = try Credentials.load(around)
    let running = RunningSystem.find(around)
    let api = try Connection.normal(
      self.api ?? around["WHARF_API"] ?? credentials.api ?? running?.api ?? Connection.standardAPI)
    let token =
      self.token ?? around["WHARF_TOKEN"] ?? credentials.token(for: api)
      ?? running.flatMap { (try? Connection.normal($0.api)) == api ? $0.token() : nil }
    guard token?.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) != false else {
      throw Failure(.usage, "the token holds characters that no token has", help: "wharf login")
    }
    return Connection(api: api, token: token)
  }
}

struct Connection: Equatable, Sendable {
  static let standardAPI = "http://127.0.0.1:7400"

  /// Without a slash at its end.
  let api: String
  let token: String?

  /// `127.0.0.1:7400` is an address too.
  static func normal(_ api: String) throws(Failure) -> String {
    let whole = api.contains("://") ? api : "http://\(api)"
    guard whole.hasPrefix("http://") || whole.hasPrefix("https://"),
      whole.utf8.allSatisfy({ $0 > 32 && $0 < 127 })
    else {
      throw Failure(
        .usage, "'\(api.shortened(to: 80))' is no address of an API",
        help: "write it as \(standardAPI)")
    }
    return whole.trimmingCharacters { $0 == "/" }
  }
}
