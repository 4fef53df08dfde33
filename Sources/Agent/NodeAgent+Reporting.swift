// What the agent tells of itself, and the loops that talk to the control plane. One report or
// heartbeat is outstanding at a time; the whole is sent when it changed, at first, or when asked.

import Hosting
import Logging
import Machine
import Time
import Wire

extension NodeAgent {
  // MARK: - The observation

  package func observation() -> Observation {
    let held = attempts.values.sorted { $0.id < $1.id }.map(observed)
    // All that is assigned is told of, also where nothing is known of it yet: what an agent leaves out has ended
    // without a trace, for whoever reads its report.
    let assigned = steering.assignment?.attempts.map(\.id) ?? []
    let waits = assigned.filter { attempts[$0] == nil }.map { id in
      let cause = waiting.first { $0.id == id }?.cause
      return ObservedAttempt(
        id: id, phase: cause == .checkingWeights ? .checkingWeights : .starting,
        cause: cause == .checkingWeights ? nil : cause)
    }
    return Observation(
      bootID: configuration.bootID, incarnation: configuration.incarnation, sequence: 0,
      generation: generation, facts: facts,
      attempts: (held + waits).sorted { $0.id < $1.id },
      strangers: unknown.map { Observation.Stranger(id: $0.id, pid: $0.pid) },
      alarm: steering.alarm,
      seen: steering.alarm == nil ? nil : steering.head, mistrust: steering.mistrust,
      troubles: troubles.keys.sorted { $0.rawValue < $1.rawValue })
  }

  private func observed(_ attempt: Attempt) -> ObservedAttempt {
    switch attempt.course {
    case .starting: return ObservedAttempt(id: attempt.id, phase: .starting)
    case .running(let pid, let settled, let health):
      let phase: AttemptPhase =
        switch health.standing {
        case .loading: settled ? .loading : .starting
        case .ready: .ready
        case .unhealthy: .unhealthy
        }
      guard phase != .starting else { return ObservedAttempt(id: attempt.id, phase: .starting) }
      return ObservedAttempt(
        id: attempt.id, phase: phase, pid: pid, endpoint: endpoint(of: attempt),
        cause: phase == .unhealthy ? .unanswered : nil)
    case .stopping(let pid, let stop):
      return ObservedAttempt(id: attempt.id, phase: .stopping, pid: pid, cause: stop.cause)
    case .ended(let end, _):
      return ObservedAttempt(
        id: attempt.id, phase: .ended, exitCode: end.exitCode, exitSignal: end.exitSignal,
        ordered: end.order, cause: end.cause, device: end.device, weights: end.weights)
    }
  }

  private func acknowledged(_ reported: Observation, _ answer: ControlLink.Answer<ReportReply>) {
    accepted = true
    // A report in alarm is not taken in.
    let ended = reported.alarm == nil ? reported.attempts.filter { $0.phase == .ended } : []
    for seen in ended {
      guard case .ended(let end, false) = attempts[seen.id]?.course else { continue }
      attempts[seen.id]?.course = .ended(end, acknowledged: true)
    }
    for index in unknown.indices
    where reported.strangers.contains(where: { $0.pid == unknown[index].pid }) {
      unknown[index].reported = true
    }
    heard(answer.value.head, in: answer, leaseSeconds: answer.value.leaseSeconds)
  }

  private func acknowledged(_ answer: ControlLink.Answer<HeartbeatReply>) {
    accepted = true
    heard(answer.value.head, in: answer, leaseSeconds: answer.value.leaseSeconds)
  }

  // MARK: - Loops

  package enum Ending: Equatable, Sendable {
    case cancelled
    /// The node is no part of the system any more.
    case removed
  }

  /// Talks to the control plane until the task is cancelled or the node turns out to be removed.
  package func run(_ link: ControlLink) async -> Ending {
    let ending = await withTaskGroup(of: Ending.self) { group in
      group.addTask { await self.followAssignments(link) }
      group.addTask {
        await self.reportChanges(link)
        return .cancelled
      }
      let first = await group.next() ?? .cancelled
      group.cancelAll()
      return first
    }
    if ending == .cancelled { close() }
    return ending
  }

  private nonisolated func followAssignments(_ link: ControlLink) async -> Ending {
    var backoff = Backoff.asking
    var random = clocks.random
    var trouble: String?
    var hasAsked = false
    while !Task.isCancelled {
      let (acted, seen) = await asking
      do throws(ControlLink.Problem) {
        // The first question is answered at once: whether what was kept is still the newest. So is one after
        // a failure, so that what failed is known to be over.
        let answer = try await link.assignment(
          after: acted, waitSeconds: hasAsked && trouble == nil ? ControlLink.longPollSeconds : 0,
          seen: seen)
        await heard(answer)
        await answered(.assignment)
        trouble = nil
        let isFirst = !hasAsked
        hasAsked = true
        let isNews = await generation > acted
        if isNews || answer.value == nil { backoff.reset() }
        if isNews || isFirst { continue }
        // Else a pause: a server that answers at once without news must not be asked in a hot loop.
      } catch {
        if case .removed(let removal) = error.kind, await believe(removal, error.echo) {
          return .removed
        }
        await complain(.assignment, error, about: &trouble)
      }
      try? await clocks.sleep(for: .milliseconds(backoff.pauseMilliseconds(using: &random)))
    }
    return .cancelled
  }

  /// The word that the node was removed, where it comes of a log that is believed.
  private func believe(_ removal: NodeRemovedReply, _ echo: SeenEcho?) -> Bool {
    let believed = steering.believes(removal, of: configuration.node, echo)
    if let reason = steering.alarm { raise(reason) }
    return believed
  }

  private func answered(_ asked: Asked) {
    refusals[asked] = nil
    oddness[asked] = nil
    if oddness.isEmpty { troubleIsOver(.answersDisturbed) }
    keepStatus()
  }

  /// What a proxy says once is no trouble yet, nor is one late answer.
  private static let oddnessOfTrouble = 3

  private func note(_ problem: ControlLink.Problem, of asked: Asked) {
    guard problem.oddness > 0 else { return }
    let sum = oddness[asked, default: 0] + problem.oddness
    oddness[asked] = sum
    if sum >= Self.oddnessOfTrouble { trouble(.answersDisturbed, problem.description) }
  }

  /// After what to ask. In alarm after nothing: the log there may never reach what was acted on here,
  /// and a person may have let this node follow it.
  private var asking: (after: Position, seen: ControlLink.Seen) {
    (steering.alarm == nil ? generation : .empty, seen)
  }

  private var seen: ControlLink.Seen { ControlLink.Seen(head: steering.head, sealed: sealed) }

  private var generation: Position { steering.assignment?.generation ?? .empty }

  private nonisolated func reportChanges(_ link: ControlLink) async {
    var acknowledged: Digest?
    var nextBeat = clocks.bootTime
    var backoff = Backoff.asking
    var random = clocks.random
    var trouble: String?
    while !Task.isCancelled {
      let observation = await observation()
      let digest = observation.digest
      do throws(ControlLink.Problem) {
        if digest != acknowledged {
          try await report(observation, link)
          acknowledged = digest
        } else if clocks.bootTime < nextBeat {
          let pause = clocks.bootTime.milliseconds(until: nextBeat)
          await changes.wait(longestMilliseconds: Int(pause))
          continue
        } else if try await heartbeat(digest, link) {
          acknowledged = nil
        }
        // Not in step with other agents.
        let beat = await heartbeatSeconds * 1000
        nextBeat = clocks.bootTime.adding(
          milliseconds: Int64(Int.random(in: beat * 8 / 10...beat, using: &random)))
        backoff.reset()
        await answered(.report)
        trouble = nil
      } catch {
        if error.kind == .refused(status: Self.anotherAgentStatus) { await supersede() }
        await complain(.report, error, about: &trouble)
        try? await clocks.sleep(for: .milliseconds(backoff.pauseMilliseconds(using: &random)))
      }
    }
  }

  private static let anotherAgentStatus = 409

  /// Another agent speaks for this node: it may start the same, so this one starts nothing.
  private func supersede() { accepted = false }

  private func report(_ observation: Observation, _ link: ControlLink) async throws(ControlLink
    .Problem)
  {
    sequence += 1
    var numbered = observation
    numbered.sequence = sequence
    let answer = try await link.report(numbered, seen: seen)
    acknowledged(numbered, answer)
  }

  private func heartbeat(_ digest: Digest, _ link: ControlLink) async throws(ControlLink.Problem)
    -> Bool
  {
    let answer = try await link.heartbeat(
      Heartbeat(
        bootID: configuration.bootID, incarnation: configuration.incarnation, sequence: sequence,
        digest: digest), seen: seen)
    acknowledged(answer)
    return answer.value.wantsReport
  }

  private var heartbeatSeconds: Int {
    max(1, steering.assignment?.heartbeatSeconds ?? Self.firstHeartbeatSeconds)
  }

  private static let firstHeartbeatSeconds = 2

  /// Says each trouble once, not at every try. That an agent which stops asks no further is none.
  private func complain(
    _ asked: Asked, _ problem: ControlLink.Problem, about trouble: inout String?
  ) {
    if Task.isCancelled { return }
    note(problem, of: asked)
    guard trouble != problem.description else { return }
    trouble = problem.description
    switch problem.kind {
    case .unauthorized, .unproved, .removed: log.critical("\(problem.description)")
    case .unreachable, .late, .malformed, .refused: log.warning("\(problem.description)")
    }
    refusals[asked] = problem.description
    keepStatus()
  }
}

extension Observation {
  /// Of the observation with `sequence` 0, as heartbeats carry it.
  package var digest: Digest {
    var unnumbered = self
    unnumbered.sequence = 0
    return .sha256(unnumbered.jsonBytes)
  }
}
