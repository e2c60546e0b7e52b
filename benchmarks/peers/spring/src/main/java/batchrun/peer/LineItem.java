package batchrun.peer;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

import org.springframework.batch.infrastructure.item.file.transform.FieldSet;

/** A row of TPC-H's lineitem, with a revenue once a processor has computed it. */
record LineItem(int orderKey, int partKey, int suppKey, int lineNumber, BigDecimal quantity, BigDecimal extendedPrice,
		BigDecimal discount, BigDecimal tax, String returnFlag, String lineStatus, LocalDate shipDate,
		LocalDate commitDate, LocalDate receiptDate, String shipInstruct, String shipMode, String comment,
		@Nullable BigDecimal revenue) {

	static final List<String> COLUMNS = List.of("l_orderkey", "l_partkey", "l_suppkey", "l_linenumber", "l_quantity",
			"l_extendedprice", "l_discount", "l_tax", "l_returnflag", "l_linestatus", "l_shipdate", "l_commitdate",
			"l_receiptdate", "l_shipinstruct", "l_shipmode", "l_comment");

	private static final BigDecimal LEAST_QUANTITY = BigDecimal.TEN;

	static List<String> columns(boolean withRevenue) {
		List<String> columns = new ArrayList<>(COLUMNS);
		if (withRevenue) {
			columns.add("l_revenue");
		}
		return columns;
	}

	static LineItem read(FieldSet fields) {
		return new LineItem(fields.readInt(0), fields.readInt(1), fields.readInt(2), fields.readInt(3),
				fields.readBigDecimal(4), fields.readBigDecimal(5), fields.readBigDecimal(6), fields.readBigDecimal(7),
				fields.readString(8), fields.readString(9), LocalDate.parse(fields.readString(10)),
				LocalDate.parse(fields.readString(11)), LocalDate.parse(fields.readString(12)), fields.readString(13),
				fields.readString(14), fields.readRawString(15), null);
	}

	void write(PreparedStatement statement) throws SQLException {
		statement.setInt(1, this.orderKey);
		statement.setInt(2, this.partKey);
		statement.setInt(3, this.suppKey);
		statement.setInt(4, this.lineNumber);
		statement.setBigDecimal(5, this.quantity);
		statement.setBigDecimal(6, this.extendedPrice);
		statement.setBigDecimal(7, this.discount);
		statement.setBigDecimal(8, this.tax);
		statement.setString(9, this.returnFlag);
		statement.setString(10, this.lineStatus);
		statement.setObject(11, this.shipDate);
		statement.setObject(12, this.commitDate);
		statement.setObject(13, this.receiptDate);
		statement.setString(14, this.shipInstruct);
		statement.setString(15, this.shipMode);
		statement.setString(16, this.comment);
		if (this.revenue != null) {
			statement.setBigDecimal(17, this.revenue);
		}
	}

	/** The processor {@code filter}: null drops the item. */
	static @Nullable LineItem filter(LineItem item) {
		if (item.quantity.compareTo(LEAST_QUANTITY) < 0) {
			return null;
		}
		return item.withRevenue(item.discountedPrice());
	}

	/** The processor {@code function}. */
	static LineItem charge(LineItem item) {
		BigDecimal charge = item.discountedPrice().multiply(BigDecimal.ONE.add(item.tax));
		return item.withRevenue(charge.setScale(2, RoundingMode.HALF_UP));
	}

	private BigDecimal discountedPrice() {
		return this.extendedPrice.multiply(BigDecimal.ONE.subtract(this.discount));
	}

	private LineItem withRevenue(BigDecimal value) {
		return new LineItem(this.orderKey, this.partKey, this.suppKey, this.lineNumber, this.quantity,
				this.extendedPrice, this.discount, this.tax, this.returnFlag, this.lineStatus, this.shipDate,
				this.commitDate, this.receiptDate, this.shipInstruct, this.shipMode, this.comment, value);
	}

}
