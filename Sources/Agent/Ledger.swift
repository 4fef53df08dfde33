// What this agent started, across its own death: a folder per attempt. The plan is on disk before
// anything runs, so an attempt found here was perhaps started and is never started again.
//
//   attempts/31.2.40/plan.json      what was to run, where (holds the engine key)
//                    holder.1.json  the holder's own record, one a try at a port
//                    engine.log     what the engine wrote
//                    ready          it has answered once
//                    stop.json      it is to stop, and why
//                    end.json       it ended, and how
//   ended/31.2.40/engine.log        the logs of the last ones, for people
//   work/31.2.40/                   where it works, if it runs as another user, whose folder that is

import Glibc
import Hosting
import Machine
import Wire

package struct Ledger: Sendable {
  /// Logs of ended attempts that are kept.
  package static let keptLogs = 20

  package let folder: String

  /// - Parameter folder: of the agent's data; absolute, since processes are known by it.
  package init(folder: String) { self.folder = folder }

  package var attemptsFolder: String { folder + "/attempts" }

  package func folder(of id: AttemptID) -> String { attemptsFolder + "/\(id)" }

  package var workFolders: String { folder + "/work" }

  package func workFolder(of id: AttemptID) -> String { workFolders + "/\(id)" }

  package struct Plan: JSONRecord, Equatable, Sendable {
    package var attempt: AssignedAttempt
    package var port: Int
    /// Counts ports tried; each try has a holder of its own.
    package var attemptedPorts: Int
    package var bootID: String
    /// Why it was never to be started; none when it was.
    package var refusal: AttemptCause?

    package init(
      attempt: AssignedAttempt, port: Int, attemptedPorts: Int, bootID: String,
      refusal: AttemptCause? = nil
    ) {
      self.attempt = attempt
      self.port = port
      self.attemptedPorts = attemptedPorts
      self.bootID = bootID
      self.refusal = refusal
    }
  }

  package struct Stop: JSONRecord, Equatable, Sendable {
    package var reason: String
    /// None when the agent gave it up: it did not become ready, or its device is gone.
    package var order: StopOrder?
    package var cause: AttemptCause?
    package var device: String?

    package init(
      _ cause: AttemptCause, reason: String? = nil, order: StopOrder? = nil, device: String? = nil
    ) {
      self.reason = reason ?? cause.words
      self.order = order
      self.cause = cause
      self.device = device
    }
  }

  package struct End: JSONRecord, Equatable, Sendable {
    package var exitCode: Int?
    package var exitSignal: Int?
    /// For people at this machine; it is not reported.
    package var reason: String?
    /// None when it ended by itself.
    package var order: StopOrder?
    package var cause: AttemptCause?
    package var device: String?
    package var weights: WeightsFound?

    package init(
      exitCode: Int? = nil, exitSignal: Int? = nil, cause: AttemptCause?, reason: String? = nil,
      order: StopOrder? = nil, device: String? = nil, weights: WeightsFound? = nil
    ) {
      self.exitCode = exitCode
      self.exitSignal = exitSignal
      self.reason = reason
      self.order = order
      self.cause = cause
      self.device = device
      self.weights = weights
    }

    /// For people: `code 1`, `signal 9`.
    package var exit: String {
      if let exitCode { return "code \(exitCode)" }
      return exitSignal.map { "signal \($0)" } ?? "unknown"
    }
  }

  package struct Entry: Equatable, Sendable {
    package var plan: Plan
    package var wasReady: Bool
    package var stop: Stop?
    package var end: End?
  }

  // MARK: - Writing

  /// On disk when this returns.
  package func write(_ plan: Plan) throws(FileProblem) {
    try Files.makeFolder(folder(of: plan.attempt.id))
    try Files.write(plan.jsonBytes, to: folder(of: plan.attempt.id) + "/plan.json")
  }

  /// What follows is written as well as can be: none of it decides whether something is started.
  package func note(_ stop: Stop, of id: AttemptID) {
    try? Files.write(stop.jsonBytes, to: folder(of: id) + "/stop.json")
  }

  package func note(_ end: End, of id: AttemptID) {
    try? Files.write(end.jsonBytes, to: folder(of: id) + "/end.json")
  }

  package func noteReady(_ id: AttemptID) {
    try? Files.write([], to: folder(of: id) + "/ready", durably: false)
  }

  // MARK: - Reading

  package enum Found: Equatable, Sendable {
    case entry(Entry)
    /// A folder whose plan was never finished or is spoilt: nothing is known but its id.
    case unreadable(AttemptID, why: String)
  }

  package func load() throws(FileProblem) -> [Found] {
    var found: [Found] = []
    for name in try Files.list(attemptsFolder) {
      guard let id = try? AttemptID(jsonText: name) else { continue }
      do {
        found.append(.entry(try entry(id)))
      } catch {
        found.append(.unreadable(id, why: "\(error)"))
      }
    }
    return found
  }

  private func entry(_ id: AttemptID) throws -> Entry {
    let folder = folder(of: id)
    guard let bytes = try Files.read(folder + "/plan.json") else {
      throw Malformed("there is no plan in \(folder)")
    }
    let plan = try Plan(lenientJSON: bytes)
    guard plan.attempt.id == id else {
      throw Malformed("the plan in \(folder) is of another attempt")
    }
    let stop = try? Files.read(folder + "/stop.json").flatMap { try? Stop(lenientJSON: $0) }
    let end = try? Files.read(folder + "/end.json").flatMap { try? End(lenientJSON: $0) }
    return Entry(
      plan: plan, wasReady: access(folder + "/ready", F_OK) == 0, stop: stop, end: end)
  }

  package func statePath(_ plan: Plan) -> String {
    folder(of: plan.attempt.id) + "/holder.\(plan.attemptedPorts).json"
  }

  package func logPath(_ id: AttemptID) -> String { folder(of: id) + "/engine.log" }

  // MARK: - Forgetting

  /// Removes an entry but for its log.
  package func forget(_ id: AttemptID) throws(FileProblem) {
    let kept = folder + "/ended"
    try Files.makeFolder(kept)
    try Files.remove("\(kept)/\(id)")
    try Files.makeFolder("\(kept)/\(id)")
    // One that is gone already is none to keep.
    try? Files.move(logPath(id), to: "\(kept)/\(id)/engine.log", durably: false)
    try Files.remove(workFolder(of: id))
    try Files.remove(folder(of: id))
    try prune(kept)
  }

  private func prune(_ kept: String) throws(FileProblem) {
    let ids = try Files.list(kept).compactMap { try? AttemptID(jsonText: $0) }
    let newestFirst = ids.sorted { $0.placedAt > $1.placedAt }
    for id in newestFirst.dropFirst(Self.keptLogs) { try Files.remove("\(kept)/\(id)") }
  }
}

extension JSONRecord {
  /// Reads what a newer program may have written: fields unknown here are passed over.
  package init(lenientJSON bytes: [UInt8]) throws(JSONProblem) {
    self = try JSONDecoding.read(Self.self, from: JSONValue(document: bytes), strict: false)
  }
}
