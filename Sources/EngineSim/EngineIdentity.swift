// Who this engine is, as whoever started it says in the environment.

/// What the engine log and the replies say of this process.
struct EngineIdentity: Sendable {
  /// Ids of the devices it holds, from `WHARF_DEVICES`, separated by commas.
  var devices: [String] = []
  /// How much of each device, in thousandths, from `WHARF_DEVICE_MILLI`.
  var milli = 1000
  /// From `WHARF_REPLICA` and `WHARF_ATTEMPT`, as they are given.
  var replica: String?
  var attempt: String?

  init(environment: [String: String]) throws(StartError) {
    devices = (environment["WHARF_DEVICES"] ?? "").split(separator: ",").map(String.init)
    replica = environment["WHARF_REPLICA"]
    attempt = environment["WHARF_ATTEMPT"]
    if let text = environment["WHARF_DEVICE_MILLI"] {
      guard let milli = Int(text), (1...1000).contains(milli) else {
        throw StartError(
          code: .usage, "WHARF_DEVICE_MILLI is '\(text)'; it can be from 1 to 1000")
      }
      self.milli = milli
    }
  }

  /// Goes into every reply as `system_fingerprint`.
  var fingerprint: String {
    let parts = [replica.map { "replica \($0)" }, attempt.map { "attempt \($0)" }]
    let known = parts.compactMap { $0 }
    return known.isEmpty ? "wharf-engine-sim" : known.joined(separator: " ")
  }
}

/// Why the engine did not start, and the exit code that says so.
struct StartError: Error, CustomStringConvertible {
  enum Code: Int32 {
    case usage = 2
    /// The address could not be taken.
    case unavailable = 3
    /// The engine log could not be written.
    case write = 4
  }
  let code: Code
  let description: String

  init(code: Code, _ description: String) {
    self.code = code
    self.description = description
  }
}
