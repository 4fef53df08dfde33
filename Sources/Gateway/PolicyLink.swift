// The gateway's line to the control plane. One loop pulls the policy, applies it, and reports that it is
// enforced; another renews the lease, so that a poll that hangs, or lasts, costs none of it.
//
//   pulling ──newer policy──► applying ──all it ends has ended──► reporting ──► pulling
//     └ no news: pulling again; a server fails: the next one, after a pause
//
// 1. A lease counts from when the acknowledged request was sent, on the monotonic clock.
// 2. A position is reported only once nothing is answered any more that its policy refuses.
// 3. The policy is kept in memory only: it holds secrets.
// 4. Once the right to serve is over, only news that were asked for anew bring it back, and be it that there
//    are none.
// 5. Where all is told in pages, what is held goes on being enforced until they are together.

import AsyncHTTPClient
import Hosting
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import Synchronization
import Time
import Wire

package final class PolicyLink: Service {
  private let gate: Gate
  private let metrics: GatewayMetrics
  private let client: HTTPClient
  private let servers: [String]
  private let credentialFile: String
  private let address: String
  private let process: ProcessFile
  private let memory: SeenFile?
  private let logger: Logger
  private var limits: GatewayLimits { gate.limits }
  private let heard: Mutex<Heard>

  init(
    gate: Gate, metrics: GatewayMetrics, client: HTTPClient, servers: [String],
    credentialFile: String, address: String, process: ProcessFile, memory: SeenFile?,
    logger: Logger
  ) {
    precondition(!servers.isEmpty, "a gateway needs a server to ask")
    self.gate = gate
    self.metrics = metrics
    self.client = client
    self.servers = servers
    self.credentialFile = credentialFile
    self.address = address
    self.process = process
    self.memory = memory
    self.logger = logger
    heard = Mutex(
      Heard(progress: PolicyProgress(witness: memory?.kept), sealed: memory?.sealed))
  }

  /// What both loops know.
  fileprivate struct Heard {
    var progress: PolicyProgress
    /// The furthest head that was given out and believed, with its seal.
    var sealed: SealedHead?
    var leaseSeconds: Int?
    /// What is held of the policy.
    var policy: PolicyIndex?
    /// All of it told anew, as far as it has come.
    var draft: PolicyDraft?
    /// Whether silence is no answer: the right to serve is over.
    var needsWord = false
    /// The last position whose policy is enforced, and the last that the control plane knows to be.
    var enforced: Position?
    var reported: Position?
    /// What it last said to answer without a route.
    var serving: [AttemptID] = []
    /// The one that answered last.
    var server = 0
    /// The poll under way at that one.
    var polling: Task<Answer, any Error>?
    var wasInGrace = false
  }

  /// What is asked for next.
  fileprivate struct Asking {
    /// What news are to be added to.
    var base: PolicyProgress.Held?
    var page: String?
    var enforcing: Position?
    /// Whether it is held back until there are news.
    var mayWait = false

    var query: [(String, String)] {
      var query = [("form", "\(PolicyNews.form)")]
      if let base { query += [("after", "\(base.position)"), ("era", "\(base.era)")] }
      if let page { query.append(("page", page)) }
      if let enforcing { query.append(("enforcing", "\(enforcing)")) }
      return query
    }
  }

  package func run() async throws {
    await cancelWhenGracefulShutdown { [self] in
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await self.pullOn() }
        group.addTask { await self.renewOn() }
      }
    }
    await leave()
  }

  // MARK: Pulling

  private func pullOn() async {
    var failures = 0
    while !Task.isCancelled {
      let server = heard.withLock { $0.server }
      do {
        try await step(asking: server)
        failures = 0
      } catch  where Task.isCancelled {
        return
      } catch is Outpaced {
        continue
      } catch {
        // Nobody needs to wait for its lease: nothing is answered any more.
        if case LinkError.removed = error, (try? await gate.waitUntilCut()) != nil {
          await sayLeft()
        }
        await pause(&failures, after: error, of: server)
      }
    }
  }

  private func step(asking server: Int) async throws {
    let unreported = heard.withLock { heard in
      heard.needsWord || heard.reported == heard.progress.applied ? nil : heard.progress.applied
    }
    guard let applied = unreported else { return try await pull(from: server) }
    try await gate.waitUntilCut()
    heard.withLock { $0.enforced = applied }
    try await report(applied, to: server)
  }

  private func pull(from server: Int) async throws {
    if !gate.mayServe { needWord() }
    let (lease, asking) = heard.withLock { ($0.leaseSeconds, $0.asking) }
    let wait = asking.mayWait ? min(limits.policyWaitSeconds, max(1, (lease ?? .max) / 3)) : 0
    let answer = try await unlessOutpaced(server) { [self] in
      try await send(
        .GET, "gateway/policy", asking.query, asking.mayWait ? ("wait", "\(wait)") : nil,
        to: server, milliseconds: (Int64(wait) + limits.controlPlaneReplySeconds) * 1_000)
    }
    switch answer.status {
    case 200: try take(news(in: answer.body), answer, asking)
    case 204:
      guard try hear(answer) else { throw LinkError.behind("it knows less than was seen") }
      if let lease { renewed(answer, seconds: lease) }
    default: throw try refusal(answer)
    }
  }

  /// Another server gave the lease while the one that was asked for news kept silent.
  private struct Outpaced: Error {}

  /// A server that is stopped, or cut off, may keep a poll to its end. Once another one gives the lease the
  /// news are there, and somebody may wait for them to be enforced.
  private func unlessOutpaced(
    _ server: Int, _ poll: @escaping @Sendable () async throws -> Answer
  ) async throws -> Answer {
    let polling = Task { try await poll() }
    let isCurrent = heard.withLock { heard in
      heard.polling = polling
      return heard.server == server
    }
    if !isCurrent { polling.cancel() }
    defer { heard.withLock { $0.polling = nil } }
    do {
      return try await withTaskCancellationHandler {
        try await polling.value
      } onCancel: {
        polling.cancel()
      }
    } catch  where polling.isCancelled && !Task.isCancelled {
      throw Outpaced()
    }
  }

  private func take(_ news: PolicyNews, _ answer: Answer, _ asking: Asking) throws {
    if news.next != nil || asking.page != nil { return try takePage(news, answer, asking) }
    let taken: (verdict: PolicyProgress.Verdict, index: PolicyIndex, dropped: Set<AttemptID>?) =
      heard.withLock { heard in
        let verdict = heard.progress.judge(
          news, addedTo: asking.base, answer.echo, asked: answer.asked)
        var index = PolicyIndex()
        if news.since != nil { index = heard.draft?.index ?? heard.policy ?? index }
        // What was in none of the pages is gone as well.
        let isAddedToHeld = news.since != nil && heard.draft == nil
        guard verdict == .apply else { return (verdict, index, nil) }
        let dropped = index.add(news)
        index.follow(news)
        heard.draft = nil
        heard.policy = index
        heard.needsWord = false
        heard.leaseSeconds = news.leaseSeconds
        return (verdict, index, isAddedToHeld ? dropped : nil)
      }
    keepSeen(answer.sealed)
    switch taken.verdict {
    case .apply:
      gate.note(time: news.recordedAt)
      gate.apply(taken.index, dropped: taken.dropped)
      renewed(answer, seconds: news.leaseSeconds, withPolicy: true)
      logger.log(
        level: news.since == nil ? .info : .debug, "applied the policy",
        metadata: ["position": "\(news.position)", "facts": "\(news.count)"])
    case .renew: break
    case .ignore(let reason): throw LinkError.behind(reason)
    case .alarm(let reason): throw LinkError.contradiction(reason)
    }
  }

  /// A part of all there is: no policy yet, and no lease.
  private func takePage(_ news: PolicyNews, _ answer: Answer, _ asking: Asking) throws {
    let verdict = heard.withLock { heard in
      let verdict = heard.progress.judge(news.head, answer.echo, asked: answer.asked)
      guard verdict == .renew else { return verdict }
      if asking.page == nil || heard.draft?.era != news.head.era {
        heard.draft = asking.page == nil ? PolicyDraft(news) : nil
      } else {
        heard.draft?.add(news)
      }
      return verdict
    }
    keepSeen(answer.sealed)
    switch verdict {
    case .apply, .renew: break
    case .ignore(let reason): throw LinkError.behind(reason)
    case .alarm(let reason): throw LinkError.contradiction(reason)
    }
  }

  /// What it holds may be of the past: it is to be told that it is not.
  private func needWord() {
    heard.withLock { heard in
      heard.needsWord = true
      heard.enforced = nil
      heard.reported = nil
    }
  }

  // MARK: Reporting

  private func report(_ position: Position, to server: Int) async throws {
    var answer = try await report(position, serving: serving(), to: server)
    // An older wharfd takes the position and the address alone.
    if answer.status == 400 { answer = try await report(position, serving: nil, to: server) }
    guard answer.status == 200 else { throw try refusal(answer) }
    try take(read(PolicyLease.self, answer.body), answer)
    heard.withLock { $0.reported = position }
  }

  private func report(
    _ position: Position, serving: [AttemptID]?, to server: Int
  ) async throws -> Answer {
    try await send(
      .POST, "gateway/enforced", [],
      body: PolicyEnforced(position: position, address: address, serving: serving).jsonBytes,
      to: server, milliseconds: limits.controlPlaneReplySeconds * 1_000)
  }

  private func take(_ lease: PolicyLease, _ answer: Answer) throws {
    let verdict = heard.withLock {
      $0.progress.judge(lease.head, answer.echo, asked: answer.asked)
    }
    keepSeen(answer.sealed)
    switch verdict {
    case .apply, .renew:
      heard.withLock { $0.leaseSeconds = lease.leaseSeconds }
      if let time = lease.time { gate.note(time: time) }
      renewed(answer, seconds: lease.leaseSeconds)
    case .ignore(let reason): throw LinkError.behind(reason)
    case .alarm(let reason): throw LinkError.contradiction(reason)
    }
  }

  // MARK: The lease

  /// Asks for the lease again and again, each time of every server until one gives it; what is held and
  /// wanted of limits goes with it.
  private func renewOn() async {
    var askedAt: Duration?
    while !Task.isCancelled {
      do { try await pauseBeforeLease(askedAt) } catch { return }
      let (enforced, first) = heard.withLock { ($0.enforced, $0.server) }
      guard let enforced, gate.mayServe else {
        do {
          try await gate.clocks.sleep(for: .milliseconds(limits.shareLookMilliseconds))
        } catch { return }
        continue
      }
      askedAt = gate.clock.uptime
      for offset in servers.indices {
        do {
          try await renew(enforced, of: (first + offset) % servers.count)
          break
        } catch is CancellationError {
          return
        } catch {
          note(error, of: (first + offset) % servers.count, quietly: true)
        }
      }
      noteGrace()
    }
  }

  /// Until the lease is to be asked for anew: early, where more of a limit is wanted or requests have ended
  /// that an engine's stop waits for.
  private func pauseBeforeLease(_ askedAt: Duration?) async throws {
    let milliseconds = heard.withLock { heard in
      max(
        50,
        min(
          Int64(limits.leaseRenewalSeconds) * 1_000,
          Int64(heard.leaseSeconds ?? .max / 1_000) * 1_000 / 6))
    }
    let began = gate.clock.uptime
    while true {
      let now = gate.clock.uptime
      if now - (askedAt ?? began) >= .milliseconds(milliseconds) { return }
      if gate.wantsShares || hasFinished,
        askedAt.map({ now - $0 >= .milliseconds(limits.shareCallMilliseconds) }) ?? true
      {
        return
      }
      try await gate.clocks.sleep(
        for: .milliseconds(min(limits.shareLookMilliseconds, milliseconds)))
    }
  }

  private func renew(_ enforced: Position, of server: Int) async throws {
    let lease = heard.withLock { $0.leaseSeconds } ?? limits.leaseReplySeconds * 6
    let answer = try await send(
      .POST, "gateway/lease", [],
      body: LeaseCall(enforced: enforced, shares: gate.shareReport(), serving: serving()).jsonBytes,
      to: server,
      milliseconds: min(Int64(limits.leaseReplySeconds) * 1_000, Int64(lease) * 1_000 / 6))
    // An older wharfd gives leases with its other answers only.
    if answer.status == 404 { return }
    guard answer.status == 200 else { throw try refusal(answer) }
    let given = try read(PolicyLease.self, answer.body)
    try take(given, answer)
    if let shares = given.shares { gate.take(shares, era: given.head.era) }
    heard.withLock { heard in
      if heard.server != server { heard.polling?.cancel() }
      heard.server = server
    }
  }

  private func serving() -> [AttemptID] {
    let serving = gate.lingering()
    heard.withLock { $0.serving = serving }
    return serving
  }

  /// Whether an engine may be told to stop that waits for requests of before.
  private var hasFinished: Bool {
    let told = heard.withLock { $0.serving }
    return !told.isEmpty && gate.lingering() != told
  }

  private func renewed(_ answer: Answer, seconds: Int, withPolicy: Bool = false) {
    _ = gate.renewLease(sentAt: answer.sentAt, seconds: seconds, withPolicy: withPolicy)
    noteGrace()
  }

  /// Says once that it serves on without a leader, and once that it does no more.
  private func noteGrace() {
    let reading = gate.reading
    let changed = heard.withLock { heard in
      defer { heard.wasInGrace = reading.isInGrace }
      return heard.wasInGrace != reading.isInGrace
    }
    guard changed else { return }
    if reading.isInGrace {
      logger.error(
        "no leader was heard for the lease: serving on by the last policy",
        metadata: [
          "position": "\(reading.position)",
          "seconds": "\(Int(reading.servingLeft.inSeconds))",
        ])
    } else if reading.serves {
      logger.notice("a leader was heard again: serving by its lease")
    } else {
      logger.error("no leader was heard for lease and grace: nothing is served")
    }
  }

  /// At the end of a stop, when all that was asked is answered: nobody needs to wait for this process.
  private func leave() async {
    let enforced = heard.withLock { $0.enforced }
    gate.endLease()
    if enforced != nil, !Task.isCancelled { await sayLeft() }
  }

  private func sayLeft() async {
    let first = heard.withLock { $0.server }
    // What it used goes on counting for a minute.
    let shares = gate.shareReport()
    for offset in servers.indices {
      let answer = try? await send(
        .POST, "gateway/left", [], body: LeaseCall(enforced: nil, shares: shares).jsonBytes,
        to: (first + offset) % servers.count, milliseconds: limits.leaveReplyMilliseconds)
      if answer?.status == 204 { return }
    }
  }

  // MARK: Hearing

  /// The head of an answer without a policy: one that contradicts what was seen is no less an alarm.
  ///
  /// - Returns: whether it is of someone who knows no less than was seen.
  private func hear(_ answer: Answer) throws -> Bool {
    guard let head = answer.head else { return false }
    let verdict = heard.withLock { $0.progress.judge(head, answer.echo, asked: answer.asked) }
    switch verdict {
    case .apply, .renew:
      keepSeen(answer.sealed)
      return true
    case .ignore: return false
    case .alarm(let reason): throw LinkError.contradiction(reason)
    }
  }

  private func keepSeen(_ given: SealedHead?) {
    let (seen, sealed) = heard.withLock { heard in
      heard.sealed.take(given, believed: heard.progress.witness)
      return (heard.progress.witness, heard.sealed)
    }
    if let seen { memory?.keep(seen, sealed) }
  }

  /// What follows from an answer that is none.
  private func refusal(_ answer: Answer) throws -> LinkError {
    let isHeard = try hear(answer)
    let code =
      (try? JSONDecoding.read(
        ErrorReply.self, from: JSONValue(document: Array(answer.body.readableBytesView)),
        strict: false))?.error.code
    switch (answer.status, code) {
    case (409, LeaseRefusal.policyNeeded): needWord()
    // Said to nobody who does not have the credential, and by a log that is the one seen.
    case (410, LeaseRefusal.gatewayRemoved) where isHeard:
      gate.endLease()
      needWord()
      return .removed
    default: break
    }
    return .refused(status: answer.status)
  }

  // MARK: Sending

  fileprivate struct Answer {
    let status: Int
    let body: ByteBuffer
    let head: HeadWitness?
    let echo: SeenEcho?
    /// The furthest that had been seen when it was asked for, and when that was.
    let asked: HeadWitness?
    let sentAt: Duration
    let sealed: SealedHead?
  }

  private func send(
    _ method: HTTPMethod, _ path: String, _ query: [(String, String)],
    _ more: (String, String)? = nil, body: [UInt8]? = nil, to server: Int,
    milliseconds: Int64
  ) async throws -> Answer {
    // Read anew each time, so that a renewed credential is taken up.
    let credential = try Credential(file: credentialFile, isInUse: true)
    let (seen, sealed) = heard.withLock { ($0.progress.witness, $0.sealed) }
    var asked = query + [("incarnation", process.incarnation), ("address", address)]
    if let more { asked.append(more) }
    if let gone = process.replaces { asked.append(("replaces", gone)) }
    let text = asked.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    var request = HTTPClientRequest(url: "\(servers[server])/v1/\(path)?\(text)")
    request.method = method
    request.headers.add(name: "authorization", value: "Bearer \(credential.secret)")
    if let seen { request.headers.add(name: WharfHeader.seen, value: seen.headerText) }
    if let sealed {
      request.headers.add(name: WharfHeader.sealedHead, value: sealed.headerText)
    }
    if let body {
      request.headers.add(name: "content-type", value: "application/json")
      request.body = .bytes(ByteBuffer(bytes: body))
    }
    let whole = request
    let sentAt = gate.clock.uptime
    return try await within(milliseconds: milliseconds, by: gate.clocks) { [client, limits] in
      let response = try await client.execute(
        whole, timeout: .milliseconds(milliseconds))
      let body: ByteBuffer
      do {
        body = try await response.body.collect(upTo: limits.policyBytes)
      } catch is NIOTooManyBytesError {
        throw LinkError.tooLong(bytes: limits.policyBytes)
      }
      return Answer(
        status: Int(response.status.code), body: body,
        head: response.headers.first(name: WharfHeader.head)
          .flatMap { HeadWitness(headerText: $0) },
        echo: response.headers.first(name: WharfHeader.seen)
          .flatMap { SeenEcho(headerText: $0) }, asked: seen, sentAt: sentAt,
        sealed: response.headers.first(name: WharfHeader.sealedHead)
          .flatMap { SealedHead(headerText: $0) })
    }
  }

  private func news(in body: ByteBuffer) throws -> PolicyNews {
    let bytes = Array(body.readableBytesView)
    if let news = PolicyNews(canonicalDocument: bytes) { return news }
    let document = try JSONValue(document: bytes)
    guard try JSONDecoding.read(NewsForm.self, from: document, strict: false).form != nil else {
      throw LinkError.older
    }
    return try JSONDecoding.read(PolicyNews.self, from: document, strict: false)
  }

  private func read<T: Decodable>(_ type: T.Type, _ body: ByteBuffer) throws -> T {
    try JSONDecoding.read(
      type, from: JSONValue(document: Array(body.readableBytesView)), strict: false)
  }

  private func note(_ error: any Error, of server: Int, quietly: Bool = false) {
    if (error as? LinkError)?.isAlarm ?? false {
      metrics.countAlarm()
      logger.critical("\(error)", metadata: ["server": "\(servers[server])"])
    } else {
      logger.log(
        level: quietly ? .debug : .warning, "asking the control plane failed: \(error)",
        metadata: ["server": "\(servers[server])"])
    }
  }

  private func pause(
    _ failures: inout Int, after error: any Error, of server: Int
  ) async {
    // The lease may have been had from another one meanwhile.
    heard.withLock { heard in
      if heard.server == server { heard.server = (server + 1) % servers.count }
    }
    note(error, of: server)
    noteGrace()
    let ceiling = min(
      limits.retryCeilingMilliseconds, limits.retryFloorMilliseconds << min(failures, 10))
    failures += 1
    var random = gate.clocks.random
    let milliseconds = Int.random(in: ceiling / 2...ceiling, using: &random)
    try? await gate.clocks.sleep(for: .milliseconds(milliseconds))
  }
}

extension PolicyLink.Heard {
  fileprivate var asking: PolicyLink.Asking {
    var asking = PolicyLink.Asking(enforcing: enforced)
    if let draft {
      asking.page = draft.next
      // Behind the last page, what changed since the first.
      if draft.next == nil { asking.base = draft.base }
    } else if policy != nil {
      asking.base = progress.held
      asking.mayWait = !needsWord
    }
    return asking
  }
}

private struct NewsForm: Decodable {
  let form: Int?
}
