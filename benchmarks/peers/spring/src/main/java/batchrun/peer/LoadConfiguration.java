package batchrun.peer;

import java.text.NumberFormat;
import java.text.SimpleDateFormat;
import java.util.List;
import java.util.Locale;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;

import org.springframework.batch.core.configuration.annotation.EnableBatchProcessing;
import org.springframework.batch.core.configuration.annotation.EnableJdbcJobRepository;
import org.springframework.batch.core.job.Job;
import org.springframework.batch.core.job.builder.JobBuilder;
import org.springframework.batch.core.repository.JobRepository;
import org.springframework.batch.core.step.Step;
import org.springframework.batch.core.step.builder.ChunkOrientedStepBuilder;
import org.springframework.batch.core.step.builder.StepBuilder;
import org.springframework.batch.infrastructure.item.database.JdbcBatchItemWriter;
import org.springframework.batch.infrastructure.item.database.builder.JdbcBatchItemWriterBuilder;
import org.springframework.batch.infrastructure.item.file.FlatFileItemReader;
import org.springframework.batch.infrastructure.item.file.builder.FlatFileItemReaderBuilder;
import org.springframework.batch.infrastructure.item.file.transform.DefaultFieldSetFactory;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.io.FileSystemResource;
import org.springframework.jdbc.support.JdbcTransactionManager;

/** The job with its one step, and the database that both the table and the job repository are in. */
@Configuration(proxyBeanMethods = false)
@EnableBatchProcessing
@EnableJdbcJobRepository
class LoadConfiguration {

	@Bean
	HikariDataSource dataSource(Options options) {
		HikariConfig config = new HikariConfig();
		config.setJdbcUrl(options.url());
		config.setUsername(options.user());
		if (options.isPostgres()) {
			config.setMaximumPoolSize(4);
			config.setMinimumIdle(1);
			config.addDataSourceProperty("reWriteBatchedInserts", "true");
		}
		else {
			config.setMaximumPoolSize(1);
		}
		HikariDataSource dataSource = new HikariDataSource(config);
		RepositoryTables.createIfMissing(dataSource, options.isPostgres() ? "postgresql" : "sqlite");
		return dataSource;
	}

	@Bean
	JdbcTransactionManager transactionManager(HikariDataSource dataSource) {
		return new JdbcTransactionManager(dataSource);
	}

	@Bean
	FlatFileItemReader<LineItem> reader(Options options) {
		return new FlatFileItemReaderBuilder<LineItem>().name("lineItemReader")
			.resource(new FileSystemResource(options.input()))
			.encoding("UTF-8")
			.linesToSkip(1)
			.delimited(lines -> lines.names(LineItem.COLUMNS.toArray(String[]::new))
				.fieldSetFactory(fieldSetFactory()))
			.fieldSetMapper(LineItem::read)
			.build();
	}

	@Bean
	JdbcBatchItemWriter<LineItem> writer(Options options, HikariDataSource dataSource) {
		return new JdbcBatchItemWriterBuilder<LineItem>().dataSource(dataSource)
			.sql(sql(options))
			.itemPreparedStatementSetter(LineItem::write)
			.build();
	}

	@Bean
	Step loadStep(Options options, JobRepository jobRepository, JdbcTransactionManager transactionManager,
			FlatFileItemReader<LineItem> reader, JdbcBatchItemWriter<LineItem> writer) {
		ChunkOrientedStepBuilder<LineItem, LineItem> step = new StepBuilder("loadStep", jobRepository)
			.<LineItem, LineItem>chunk(options.chunk())
			.transactionManager(transactionManager)
			.reader(reader)
			.writer(writer);
		switch (options.processor()) {
			case NONE -> { }
			case FILTER -> step.processor(LineItem::filter);
			case FUNCTION -> step.processor(LineItem::charge);
		}
		return step.build();
	}

	@Bean
	Job loadJob(JobRepository jobRepository, Step loadStep) {
		return new JobBuilder("loadJob", jobRepository).start(loadStep).build();
	}

	/** With formats of its own, as the default makes new ones for each line. */
	private static DefaultFieldSetFactory fieldSetFactory() {
		DefaultFieldSetFactory factory = new DefaultFieldSetFactory();
		factory.setDateFormat(new SimpleDateFormat("yyyy-MM-dd"));
		factory.setNumberFormat(NumberFormat.getInstance(Locale.US));
		return factory;
	}

	private static String sql(Options options) {
		List<String> columns = LineItem.columns(options.hasRevenue());
		String insert = "INSERT INTO " + options.table() + " (" + String.join(", ", columns) + ") VALUES ("
				+ String.join(", ", columns.stream().map(column -> "?").toList()) + ")";
		if (options.mode() == Options.Mode.INSERT) {
			return insert;
		}
		List<String> updates = columns.stream()
			.filter(column -> !options.key().contains(column))
			.map(column -> column + " = EXCLUDED." + column)
			.toList();
		return insert + " ON CONFLICT (" + String.join(", ", options.key()) + ") DO UPDATE SET "
				+ String.join(", ", updates);
	}

}
