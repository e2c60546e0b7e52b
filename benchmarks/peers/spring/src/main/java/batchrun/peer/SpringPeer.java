package batchrun.peer;

import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Locale;

import org.springframework.batch.core.BatchStatus;
import org.springframework.batch.core.job.Job;
import org.springframework.batch.core.job.JobExecution;
import org.springframework.batch.core.job.parameters.JobParameters;
import org.springframework.batch.core.job.parameters.JobParametersBuilder;
import org.springframework.batch.core.launch.JobOperator;
import org.springframework.batch.core.step.StepExecution;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;

/** Loads lineitem.csv into a table and prints what it took as a line of JSON. */
public final class SpringPeer {

	private SpringPeer() {
	}

	public static void main(String[] arguments) throws Exception {
		Options options = Options.parse(arguments);
		BatchStatus status;
		try (AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext()) {
			context.registerBean(Options.class, () -> options);
			context.register(LoadConfiguration.class);
			context.refresh();
			status = run(options, context.getBean(JobOperator.class), context.getBean(Job.class));
		}
		System.exit(status == BatchStatus.COMPLETED ? 0 : 1);
	}

	private static BatchStatus run(Options options, JobOperator operator, Job job) throws Exception {
		JobParameters parameters = new JobParametersBuilder().addString("input", options.input())
			.addString("table", options.table())
			.addLong("run", options.run())
			.toJobParameters();
		long jvmMillis = System.currentTimeMillis() - ManagementFactory.getRuntimeMXBean().getStartTime();
		JobExecution execution = operator.start(job, parameters);
		if (execution.getStatus() == BatchStatus.COMPLETED) {
			System.out.println(report(jvmMillis, execution.getStepExecutions().iterator().next()));
		}
		execution.getAllFailureExceptions().forEach(failure -> failure.printStackTrace(System.err));
		return execution.getStatus();
	}

	private static String report(long jvmMillis, StepExecution step) {
		Duration duration = Duration.between(step.getStartTime(), step.getEndTime());
		return String.format(Locale.ROOT,
				"{\"peer\": \"spring-batch\", \"version\": \"%s\", \"jvm_seconds\": %.3f, \"step_seconds\": %.3f, "
						+ "\"read\": %d, \"written\": %d, \"filtered\": %d}",
				Job.class.getPackage().getImplementationVersion(), jvmMillis / 1000.0, duration.toMillis() / 1000.0,
				step.getReadCount(), step.getWriteCount(), step.getFilterCount());
	}

}
