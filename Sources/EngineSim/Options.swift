// The command line of the simulated engine: every behaviour is chosen by a flag, none by chance.

import ArgumentParser
import HTTPTypes
import Hosting
import Program

/// A day: of anything that an engine is told to take its time for.
private let longestMilliseconds = 86_400_000

struct Options: ParsableArguments {
  @OptionGroup(title: "Serving") var serving: ServingOptions
  @OptionGroup(title: "Pace") var pace: PaceOptions
  @OptionGroup(title: "Limits") var limits: LimitOptions
  @OptionGroup(title: "Failures") var failures: FailureOptions
}

/// What a model can be asked for.
enum EngineTask: String, CaseIterable, ExpressibleByArgument {
  case chat, completion, embedding
}

struct ServingOptions: ParsableArguments {
  @Option(help: "Address to listen on.")
  var host = "127.0.0.1"

  @Option(help: "Port to listen on; 0 takes a free one, which the first line of output names.")
  var port = 8000

  @Option(help: "A name the model answers to; repeatable. Default: sim")
  var servedModelName: [String] = []

  @Option(help: "What it can do (chat, completion, embedding); repeatable. Default: all")
  var task: [EngineTask] = []

  @Option(
    help: "Key that requests must bear. Better given as WHARF_ENGINE_KEY: a command line is public."
  )
  var apiKey: String?

  @Option(
    help: "File to which one JSON line is added a start, ready, serving, stop. Or WHARF_ENGINE_LOG."
  )
  var engineLog: String?

  @Option(
    help: "Memory it says it holds on each device, as in 70GiB. Nothing is really held.",
    transform: { try Bytes($0) })
  var deviceMemory: Bytes?

  @Option(help: "Length of an embedding.")
  var embeddingDimensions = 384

  @Option(help: "Changes every reply and every embedding.")
  var seed: UInt64 = 0

  @Option(help: "Tokens of a reply that nothing cuts short.")
  var replyTokens = 24

  var modelNames: [String] { servedModelName.isEmpty ? ["sim"] : servedModelName }
  var tasks: Set<EngineTask> { Set(task.isEmpty ? EngineTask.allCases : task) }

  func validate() throws {
    try check(port, in: 0...65535, "--port")
    try check(embeddingDimensions, in: 1...65536, "--embedding-dimensions")
    try check(replyTokens, in: 1...1_000_000, "--reply-tokens")
    if modelNames.contains("") { throw ValidationError("--served-model-name is empty") }
  }
}

struct PaceOptions: ParsableArguments {
  @Option(
    name: [.customLong("load"), .customLong("load-seconds")],
    help: ArgumentHelp("Time from start to ready.", valueName: "time"),
    transform: Lengths.whole(.milliseconds, in: 0...longestMilliseconds))
  var load = Span(0, .seconds)

  @Option(
    name: [.customLong("time-to-first-token"), .customLong("time-to-first-token-ms")],
    help: ArgumentHelp("Time from a request's admission to its first token.", valueName: "time"),
    transform: Lengths.whole(.milliseconds, in: 0...longestMilliseconds))
  var timeToFirstToken = Span(0, .seconds)

  @Option(help: "Tokens a second of each reply after the first; 0 is as fast as it can.")
  var tokensPerSecond = 0.0

  @Option(
    name: [.customLong("stop-grace"), .customLong("stop-grace-seconds")],
    help: ArgumentHelp(
      "After SIGTERM, how long replies under way may take to finish; 20s when absent.",
      valueName: "time"),
    transform: Lengths.whole(.milliseconds, in: 0...longestMilliseconds))
  var stopGrace = Span(20, .seconds)

  func validate() throws {
    try check(tokensPerSecond, in: 0...1_000_000, "--tokens-per-second")
  }
}

struct LimitOptions: ParsableArguments {
  @Option(help: "Requests answered at once.")
  var maxConcurrent = 256

  @Option(help: "Requests that may wait for their turn; further ones are refused.")
  var maxQueued = 1024

  @Option(help: "Status of a refusal for overload: 429 or 503.")
  var overloadStatus = 429

  @Option(help: "Tokens that a prompt and its reply may have together.")
  var contextLength = 8192

  @Option(help: "Longest request body.")
  var maxBodyBytes = 4 << 20

  @Option(help: "Connections open at once; further ones wait to be accepted.")
  var maxConnections = 8192

  func validate() throws {
    try check(maxConcurrent, in: 1...1_000_000, "--max-concurrent")
    try check(maxQueued, in: 0...1_000_000, "--max-queued")
    try check(contextLength, in: 1...100_000_000, "--context-length")
    try check(maxBodyBytes, in: 1...(1 << 30), "--max-body-bytes")
    try check(maxConnections, in: 1...1_000_000, "--max-connections")
    guard overloadStatus == 429 || overloadStatus == 503 else {
      throw ValidationError("--overload-status is \(overloadStatus); it can be 429 or 503")
    }
  }
}

struct FailureOptions: ParsableArguments {
  @Option(help: "Exit with this code when loading ends, instead of becoming ready.")
  var failAtLoad: Int?

  @Flag(help: "Fail for want of device memory when loading ends (exit code 1).")
  var outOfMemoryAtLoad = false

  @Flag(help: "Listen, but never become ready.")
  var neverReady = false

  @Option(help: "Answer this many inference requests, then crash (SIGABRT) at the next.")
  var crashAfterRequests: Int?

  @Option(
    name: [.customLong("crash-after"), .customLong("crash-after-seconds")],
    help: ArgumentHelp("Crash (SIGABRT) this long after becoming ready.", valueName: "time"),
    transform: Lengths.whole(.milliseconds, in: 0...longestMilliseconds))
  var crashAfter: Span?

  @Option(
    help: "Answer this many inference requests, then accept all and answer none, health included.")
  var hangAfterRequests: Int?

  @Option(
    help: "Answer this many inference requests, then take all and answer none; health stays good.")
  var muteAfterRequests: Int?

  @Option(help: "Refuse every inference request with this status, 400 to 599.")
  var refuseStatus: Int?

  @Option(help: "What a refusal by --refuse-status says.")
  var refuseMessage = "This engine refuses all requests, as its flags ask."

  var refusal: APIError? {
    refuseStatus.map { code in
      APIError(
        status: .init(code: code), kind: code < 500 ? .invalidRequest : .server,
        message: refuseMessage, code: "refused_by_flag")
    }
  }

  @Flag(help: "Ignore SIGTERM.")
  var refuseStop = false

  @Option(
    name: [.customLong("slow-stop"), .customLong("slow-stop-seconds")],
    help: ArgumentHelp("After a stop, hold on to the devices for this long.", valueName: "time"),
    transform: Lengths.whole(.milliseconds, in: 0...longestMilliseconds))
  var slowStop = Span(0, .seconds)

  func validate() throws {
    if let failAtLoad { try check(failAtLoad, in: 1...255, "--fail-at-load") }
    if let crashAfterRequests {
      try check(crashAfterRequests, in: 0...Int.max, "--crash-after-requests")
    }
    if let hangAfterRequests {
      try check(hangAfterRequests, in: 0...Int.max, "--hang-after-requests")
    }
    if let muteAfterRequests {
      try check(muteAfterRequests, in: 0...Int.max, "--mute-after-requests")
    }
    if let refuseStatus { try check(refuseStatus, in: 400...599, "--refuse-status") }
  }
}

private func check<Value: Comparable>(
  _ value: Value, in range: ClosedRange<Value>, _ flag: String
) throws {
  guard range.contains(value) else {
    throw ValidationError(
      "\(flag) is \(value); it can be from \(range.lowerBound) to \(range.upperBound)")
  }
}
