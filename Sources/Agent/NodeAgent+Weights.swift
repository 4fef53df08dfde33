// Weights that a version pins are compared before anything is started, once a file: what was read is
// known by its stamp, so that restarts are cheap.

import Dispatch
import Hosting
import Logging
import Synchronization
import Time
import Wire

extension NodeAgent {
  /// The digests of weights that are being read, by their path.
  struct WeightsReading {
    let task: Task<Result<Digest, WeightsProblem>, Never>
    let cancelled: Flag
  }

  /// Says to a reader on another thread that nobody waits for it.
  final class Flag: Sendable {
    private let raised = Atomic<Bool>(false)
    func raise() { raised.store(true, ordering: .relaxed) }
    var isRaised: Bool { raised.load(ordering: .relaxed) }
  }

  func check(_ id: AttemptID) {
    guard let assigned = steering.assignment?.attempts.first(where: { $0.id == id }),
      let wanted = assigned.weights
    else { return }
    weights[id] = .checking
    guard let path = assigned.modelPath, path.hasPrefix("/") else {
      log.error(
        "weights are pinned, and no path of them on this node is stated",
        metadata: ["attempt": "\(id)"])
      weights[id] = .unreadable
      return
    }
    log.info("checking weights", metadata: ["attempt": "\(id)", "path": "\(path)"])
    let reading = reading(path)
    Task { [weak self] in
      let found = await reading.task.value
      await self?.checked(id, path, wanted, found)
    }
  }

  private func reading(_ path: String) -> WeightsReading {
    if let known = readings[path] { return known }
    let cancelled = Flag()
    let memory = weightsMemory
    let task = Task { [weak self, clocks] () -> Result<Digest, WeightsProblem> in
      let (found, memory) = await withCheckedContinuation { done in
        DispatchQueue.global().async {
          var reader = WeightsReader(memory: memory, clocks: clocks) { cancelled.isRaised }
          let found = Result { () throws(WeightsProblem) in try reader.digest(of: path) }
          done.resume(returning: (found, reader.memory))
        }
      }
      await self?.read(path, memory)
      return found
    }
    let reading = WeightsReading(task: task, cancelled: cancelled)
    readings[path] = reading
    return reading
  }

  private func read(_ path: String, _ memory: WeightsMemory) {
    readings[path] = nil
    for entry in memory.entries
    where weightsMemory.digest(of: entry.path, entry.stamp) != entry.digest {
      weightsMemory.remember(entry.digest, of: entry.path, entry.stamp)
    }
    do { try folder.keep(weightsMemory) } catch {
      log.warning("cannot keep the digests of weights: \(error)")
    }
  }

  private func checked(
    _ id: AttemptID, _ path: String, _ wanted: Digest, _ found: Result<Digest, WeightsProblem>
  ) {
    guard weights[id] == .checking else { return }
    switch found {
    case .success(wanted): weights[id] = .sound
    case .success(let other):
      log.error(
        "the weights are not those that were pinned",
        metadata: [
          "attempt": "\(id)", "path": "\(path)", "pinned": "\(wanted)", "found": "\(other)",
        ])
      weights[id] = .different(WeightsFound(wanted: wanted, found: other))
    case .failure(let problem):
      log.error(
        "the weights cannot be checked: \(problem)", metadata: ["attempt": "\(id)"])
      weights[id] = .unreadable
    }
    converge()
  }

  /// What is assigned no more needs no reading either.
  func forgetWeights(but assignment: Assignment) {
    let wanted = Set(assignment.attempts.map(\.id))
    weights = weights.filter { wanted.contains($0.key) }
    let paths = Set(assignment.attempts.filter { $0.weights != nil }.compactMap(\.modelPath))
    for (path, reading) in readings where !paths.contains(path) { reading.cancelled.raise() }
  }
}
