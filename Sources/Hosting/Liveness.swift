// How an engine that was ready and answers no more is noticed, and how long who asks it is kept waiting:
// settings of an engine's template, copied into each version with the rest of its launch.

extension Launch {
  /// What came with these needs the log's format level: a program of before cannot read an event with it.
  static let waitingFormatLevel = FormatLevel.kept

  /// As it is written into a log of a format level.
  func readable(at formatLevel: Int) -> Launch {
    guard formatLevel < Self.waitingFormatLevel else { return self }
    var launch = self
    launch.liveness = nil
    launch.waits = nil
    return launch
  }

  /// How often a ready engine is looked at, and when it counts as hung: after `failures` looks without an
  /// answer in a row, the first of them no sooner than `graceSeconds` after it became ready.
  package struct Liveness: Codable, Equatable, Sendable, CanonicallyRead, JSONWritable,
    SnapshotValue
  {
    /// `GET` of this path answers 200; the path of readiness when absent.
    package var path: String?
    package var periodSeconds: Int
    package var failures: Int
    package var graceSeconds: Int
    /// A small real request, for engines whose path answers while the model is stuck.
    package var request: Request?

    package static let periodsSeconds = 1...3_600
    package static let failureCounts = 1...100
    package static let gracesSeconds = 0...86_400

    package init(
      path: String?, periodSeconds: Int, failures: Int, graceSeconds: Int, request: Request?
    ) {
      self.path = path
      self.periodSeconds = periodSeconds
      self.failures = failures
      self.graceSeconds = graceSeconds
      self.request = request
    }
  }

  /// How long the gateway waits for this engine before it gives a request up.
  package struct Waits: Codable, Equatable, Sendable, CanonicallyRead, JSONWritable, SnapshotValue {
    /// For the first byte of an answer; of one that is not streamed, that is for all of it.
    package var firstByteSeconds: Int
    /// Between two parts of a streamed answer.
    package var idleSeconds: Int
    /// For the whole answer.
    package var wholeSeconds: Int

    package static let lengthsSeconds = 1...86_400

    package init(firstByteSeconds: Int, idleSeconds: Int, wholeSeconds: Int) {
      self.firstByteSeconds = firstByteSeconds
      self.idleSeconds = idleSeconds
      self.wholeSeconds = wholeSeconds
    }
  }
}

extension Launch.Liveness {
  /// `POST` of a body to a path, answered by 200 in time.
  package struct Request: Codable, Equatable, Sendable, CanonicallyRead, JSONWritable, SnapshotValue
  {
    package var path: String
    /// JSON, with the placeholder `${servedModelName}`.
    package var body: String
    package var timeoutSeconds: Int

    package static let timeoutsSeconds = 1...3_600
    package static let longestBodyBytes = 16_384

    package init(path: String, body: String, timeoutSeconds: Int) {
      self.path = path
      self.body = body
      self.timeoutSeconds = timeoutSeconds
    }
  }

  func check(_ engine: Name) throws(Refusal) {
    guard Self.periodsSeconds.contains(periodSeconds) else {
      throw Refusal(
        "periodOutOfRange",
        "engine \(engine) is asked whether it lives every 1 to "
          + "\(Self.periodsSeconds.upperBound) s, not every \(periodSeconds)",
        help: "write it as liveness: {period: 10s}")
    }
    guard Self.failureCounts.contains(failures) else {
      throw Refusal(
        "failuresOutOfRange",
        "engine \(engine) counts as hung after 1 to \(Self.failureCounts.upperBound) looks in vain, "
          + "not after \(failures)", help: "write it as liveness: {failures: 3}")
    }
    guard Self.gracesSeconds.contains(graceSeconds) else {
      throw Refusal(
        "graceOutOfRange",
        "engine \(engine) is first asked whether it lives 0 to "
          + "\(Self.gracesSeconds.upperBound) s after it is ready, not \(graceSeconds)",
        help: "write it as liveness: {grace: 30s}")
    }
    if let path { try Launch.check(path, of: engine) }
    if let request { try request.check(engine) }
  }
}

extension Launch.Liveness.Request {
  fileprivate func check(_ engine: Name) throws(Refusal) {
    try Launch.check(path, of: engine)
    guard Self.timeoutsSeconds.contains(timeoutSeconds) else {
      throw Refusal(
        "timeoutOutOfRange",
        "engine \(engine) has 1 to \(Self.timeoutsSeconds.upperBound) s to answer its liveness "
          + "request, not \(timeoutSeconds)", help: "write it as timeout: 20s in the request")
    }
    guard body.utf8.count <= Self.longestBodyBytes,
      (try? JSONValue(document: Array(body.utf8))) != nil
    else {
      throw Refusal(
        "requestMalformed",
        "the body of engine \(engine)'s liveness request is no JSON of at most "
          + "\(Self.longestBodyBytes) bytes",
        help: #"write it as '{"model":"${servedModelName}","prompt":"1","max_tokens":1}'"#)
    }
  }
}

extension Launch.Waits {
  func check(_ engine: Name) throws(Refusal) {
    for (what, seconds) in [
      ("first byte", firstByteSeconds), ("next part", idleSeconds), ("whole answer", wholeSeconds),
    ] where !Self.lengthsSeconds.contains(seconds) {
      throw Refusal(
        "waitOutOfRange",
        "the gateway waits 1 to \(Self.lengthsSeconds.upperBound) s for the \(what) of engine "
          + "\(engine), not \(seconds)",
        help: "write it as waits: {firstByte: 60s, idle: 120s, whole: 10m}")
    }
    guard max(firstByteSeconds, idleSeconds) <= wholeSeconds else {
      throw Refusal(
        "waitOutOfRange",
        "the gateway cannot wait longer for a part of an answer of engine \(engine) than for the "
          + "whole of it, which is \(wholeSeconds) s", help: "make wholeSeconds the longest")
    }
  }
}

extension Launch {
  static func check(_ path: String, of engine: Name) throws(Refusal) {
    guard path.hasPrefix("/"), path.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
      throw Refusal(
        "pathMalformed",
        "engine \(engine) is asked at a path as /health, not at '\(path.shortened(to: 60))'",
        help: "begin it with /, without blanks and without a host")
    }
  }
}
