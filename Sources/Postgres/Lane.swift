// A thread of one's own for an actor that blocks. Swift's cooperative pool has a thread for each core
// and must never wait; a lane may.

import Glibc

/// Runs the jobs of one actor on one thread, in order. The thread ends with the lane.
package final class Lane: SerialExecutor {
  private let queue = LaneQueue()

  /// - Parameters:
  ///   - name: what `ps -L` and `top -H` show, up to 15 bytes.
  ///   - niceness: by how much the thread gives way to others, as `nice` counts.
  /// - Throws: `resourceExhausted` when there is no thread left.
  package init(name: String, niceness: Int32 = 0) throws(PostgresError) {
    let queue = queue
    // The thread holds the queue, not the lane, so a lane that nobody needs can go.
    let body: @Sendable () -> Void = {
      // Of the calling thread alone, as Linux has it. Where that is not allowed, it is as it was.
      if niceness > 0 { setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, niceness) }
      queue.runJobs()
    }
    guard PosixThread.start(name: name, body) else {
      throw PostgresError(
        .resourceExhausted, "no thread is left", attempted: "start the lane \(name)",
        hint: "raise the limit on threads")
    }
  }

  deinit { queue.stop() }

  package func enqueue(_ job: consuming ExecutorJob) {
    queue.push(UnownedJob(job), on: self)
  }

  package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
    UnownedSerialExecutor(ordinary: self)
  }
}

/// What a lane and its thread share. `@unchecked`: `jobs` and `isStopped` are touched under `mutex`.
private final class LaneQueue: @unchecked Sendable {
  private struct Entry {
    let job: UnownedJob
    /// A job may drop the last other reference to its lane; it has to outlive the job.
    let lane: Lane
  }

  // Allocated, since the C library needs addresses that stay.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let arrival = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  /// An actor has at most one job queued, so this is as short as there are actors on the lane.
  private var jobs = Ring<Entry>()
  private var isStopped = false

  init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(arrival, nil)
  }

  deinit {
    pthread_cond_destroy(arrival)
    pthread_mutex_destroy(mutex)
    arrival.deallocate()
    mutex.deallocate()
  }

  func push(_ job: UnownedJob, on lane: Lane) {
    pthread_mutex_lock(mutex)
    jobs.append(Entry(job: job, lane: lane))
    pthread_cond_signal(arrival)
    pthread_mutex_unlock(mutex)
  }

  func stop() {
    pthread_mutex_lock(mutex)
    isStopped = true
    pthread_cond_signal(arrival)
    pthread_mutex_unlock(mutex)
  }

  func runJobs() {
    while let entry = next() {
      entry.job.runSynchronously(on: entry.lane.asUnownedSerialExecutor())
    }
  }

  /// Waits for a job; nil once the lane is gone.
  private func next() -> Entry? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while true {
      if let entry = jobs.popFirst() { return entry }
      if isStopped { return nil }
      pthread_cond_wait(arrival, mutex)
    }
  }
}
