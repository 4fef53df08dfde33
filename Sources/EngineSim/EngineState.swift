// Where the engine stands, and when it fails as its flags ask.
//
//   loading → ready → hung
// `loading` stays for ever under --never-ready; a failing load, a crash and a stop end the process.

struct EngineState {
  enum Phase { case loading, ready, hung }

  /// What to do with an inference request.
  enum Arrival: Equatable {
    case notReady
    /// `isFirst` of this process.
    case serve(isFirst: Bool)
    case hang
    /// Takes it and never answers it; all else goes on.
    case ignore
    case crash
  }

  let crashAfterRequests: Int?
  let hangAfterRequests: Int?
  let muteAfterRequests: Int?
  private(set) var phase: Phase = .loading
  /// Inference requests let through.
  private(set) var requests = 0

  init(crashAfterRequests: Int?, hangAfterRequests: Int?, muteAfterRequests: Int? = nil) {
    self.crashAfterRequests = crashAfterRequests
    self.hangAfterRequests = hangAfterRequests
    self.muteAfterRequests = muteAfterRequests
  }

  mutating func loaded() {
    precondition(phase == .loading, "loaded twice")
    phase = .ready
  }

  mutating func arrive() -> Arrival {
    switch phase {
    case .loading: return .notReady
    case .hung: return .hang
    case .ready: break
    }
    if let limit = crashAfterRequests, requests >= limit { return .crash }
    if let limit = hangAfterRequests, requests >= limit {
      phase = .hung
      return .hang
    }
    if let limit = muteAfterRequests, requests >= limit { return .ignore }
    requests += 1
    return .serve(isFirst: requests == 1)
  }
}
